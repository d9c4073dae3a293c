import { pino, type DestinationStream, type Logger } from 'pino'
import type { SettingValue } from './setting-schemas.ts'

const secretNames = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'apiKey',
  'key',
  'password',
  'currentPassword',
  'newPassword',
  'passwordHash',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
]

/** How deep in a line a secret is looked for. */
const DEPTH_MAX = 3

const paths = secretNames.flatMap((name) => Array.from({ length: DEPTH_MAX + 1 }, (_, depth) => `${'*.'.repeat(depth).replace(/\.$/, '')}["${name}"]`))

/** Structured lines; what could be a credential by its name is not in them. */
export function createLogger(level: SettingValue<'logLevel'>, destination?: DestinationStream): Logger {
  const options = { level, redact: { paths, censor: '[secret]' }, timestamp: pino.stdTimeFunctions.isoTime, base: { pid: process.pid } }
  return destination === undefined ? pino(options) : pino(options, destination)
}
