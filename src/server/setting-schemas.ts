import { isIP } from 'node:net'
import { z } from 'zod'

/** How long a generated or given secret is at least, in characters. */
const SECRET_CHARS_MIN = 32

const yesOrNo = z.union([z.boolean(), z.enum(['on', 'true', '1']).transform(() => true), z.enum(['off', 'false', '0']).transform(() => false)])
const list = z.union([z.array(z.string()), z.string().transform(splitList)])
const url = (...protocols: readonly string[]) => z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ''), { abort: true })

/**
 * Every setting, as `holdfast.config.ts` names it; its variable is `HOLDFAST_` and the same in capitals. Each takes the text of a
 * variable or the value that it stands for. `advice` says what would be right.
 */
export const settingSchemas = {
  host: setting(z.string().regex(/^[A-Za-z0-9_.:%-]{1,253}$/), 'Give an address or a host name to listen on, such as 127.0.0.1 or 0.0.0.0.'),
  port: setting(
    z
      .union([
        z.number(),
        z
          .string()
          .regex(/^\d{1,5}$/)
          .transform(Number),
      ])
      .pipe(z.int().min(0).max(65_535)),
    'Give a whole number from 0 to 65535; 0 takes any free port.',
  ),
  data: setting(z.string().regex(/^[^\0]{1,4096}$/), 'Give the path of a folder.'),
  databaseUrl: setting(url('postgres:', 'postgresql:'), 'Give postgres://user:password@host/database, or unset it for SQLite in the data folder.'),
  storageUrl: setting(url('s3:'), 'Give s3://bucket/prefix, or unset it to keep files in the data folder.'),
  redisUrl: setting(url('redis:', 'rediss:'), 'Give redis://host:port or rediss://host:port, or unset it.'),
  apps: setting(list.pipe(z.array(z.string().regex(/^[a-z][a-zA-Z0-9]{0,39}$/)).min(1)), 'Give the names of apps, separated by commas.'),
  publicUrl: setting(publicUrl(), 'Give the address at which people reach this server, such as https://example.org, without ? and #.'),
  trustProxy: setting(
    z.union([yesOrNo, list.pipe(z.array(z.string().refine(isProxyAddress)).min(1)).transform((all) => all.join(','))]),
    'Give on, off, or the addresses and networks of your proxies, separated by commas, such as 10.0.0.0/8.',
  ),
  registration: setting(z.enum(['open', 'invite', 'closed']), 'Give open, invite or closed.'),
  rateLimits: setting(yesOrNo, 'Give on or off.'),
  smtpUrl: setting(url('smtp:', 'smtps:'), 'Give smtp://user:password@host:port or smtps://…'),
  smtpFrom: setting(
    z
      .string()
      .regex(/^\P{Cc}*[^\s@]@[^\s@]\P{Cc}*$/u)
      .max(500),
    'Give the sender of mails, such as Holdfast <no-reply@example.org>.',
  ),
  logLevel: setting(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), 'Give trace, debug, info, warn, error, fatal or silent.'),
  metricsToken: setting(z.string().min(16).max(1_000), 'Give at least 16 characters.'),
  corsOrigins: setting(list.pipe(z.array(z.string().refine(isOrigin))), 'Give origins separated by commas, such as https://app.example.org, each without a path.'),
  secret: setting(z.string().min(SECRET_CHARS_MIN).max(1_000), `Give at least ${SECRET_CHARS_MIN} random characters, or unset it: then one is made and kept in the data folder.`),
} as const satisfies Record<string, Setting<z.ZodType>>

export type SettingName = keyof typeof settingSchemas
/** A setting's value after it was checked. */
export type SettingValue<Name extends SettingName> = z.output<(typeof settingSchemas)[Name]['schema']>

/** Settings whose value never appears in a message. */
export const secretSettings: ReadonlySet<SettingName> = new Set(['databaseUrl', 'storageUrl', 'redisUrl', 'smtpUrl', 'metricsToken', 'secret'])

export interface Setting<Schema extends z.ZodType> {
  readonly schema: Schema
  readonly advice: string
}

function setting<Schema extends z.ZodType>(schema: Schema, advice: string): Setting<Schema> {
  return { schema, advice }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function publicUrl() {
  return url('http:', 'https:')
    .refine((text) => {
      const { search, hash, username } = new URL(text)
      return search === '' && hash === '' && username === ''
    })
    .transform((text) => text.replace(/\/+$/, ''))
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

const proxyWords = new Set(['loopback', 'linklocal', 'uniquelocal'])

function isProxyAddress(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  if (more.length > 0) return false
  if (bits === undefined && proxyWords.has(address)) return true
  const family = isIP(address)
  return family !== 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (family === 4 ? 32 : 128)))
}
