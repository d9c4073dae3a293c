import { defineConfig, hostApp } from 'holdfast/server'
import { notes } from './app.ts'

/** `npm run holdfast -- serve --config examples/quick-start/server.ts` */
export default defineConfig({ apps: [hostApp({ app: notes })] })
