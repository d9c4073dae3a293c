import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { uuidv7 } from 'uuidv7'
import { createLogMailer } from '../src/auth/log-mailer.ts'
import { compileApp } from '../src/app/compile-app.ts'
import { buildHttp } from '../src/http/build-http.ts'
import { createCore } from '../src/server/create-core.ts'
import { openDatabase } from '../src/server/open-database.ts'
import { openDoorbell } from '../src/server/open-doorbell.ts'
import { benchApp } from './bench-app.ts'
import { answerParent } from './child.ts'

/** The real server with one app, its rate limits off and its log at `error`; some devices are signed in, to one account after the other. */
const [location = '', devices = '1', spaces = '1'] = process.argv.slice(2)
const isPostgres = location.startsWith('postgres')
if (!isPostgres) await mkdir(location, { recursive: true })
const place = isPostgres ? location : join(location, 'holdfast.db')

const chance = { now: () => Date.now(), id: () => uuidv7(), secret: () => crypto.randomUUID().repeat(2) }
const settings = { publicUrl: undefined, rateLimits: false, trustProxy: false, registration: 'open', metricsToken: undefined, corsOrigins: [], environment: {} } as const
const secret = 'a secret for the bench that is long enough'
const database = await openDatabase(place)
const { context, accounts } = await createCore({
  database,
  doorbell: await openDoorbell(place, { database, chance }),
  apps: [{ app: compileApp(benchApp), rules: {} }],
  chance,
  settings,
  accounts: { mailer: createLogMailer(() => {}), accessSecret: secret, refreshSecret: `${secret}!`, passwordCost: { memoryKib: 8, passes: 1 }, record: () => {} },
})
const http = await buildHttp(context, { accounts, log: pino({ level: 'error' }) })
const url = await http.listen({ host: '127.0.0.1', port: 0 })

const accountOf = (index: number) => ({ email: `bench${index % Number(spaces)}@example.org`, password: 'a password for the bench' })
const tokens: string[] = []
while (tokens.length < Number(devices)) tokens.push((await accounts[tokens.length < Number(spaces) ? 'register' : 'login'](accountOf(tokens.length))).accessToken)

answerParent({ ready: true }, async () => ({ url, tokens }))
