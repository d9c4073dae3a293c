import { hostApp } from 'holdfast/server'
import { ledger } from './ledger.ts'

/** What the server of the test with killed devices runs. */
export default { apps: [hostApp({ app: ledger })] }
