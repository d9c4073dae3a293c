import { resolve } from 'node:path'
import { nearestName } from '../lib/nearest-name.ts'
import { snakeCase } from '../lib/snake-case.ts'
import { isLoopback, type Settings } from './config.ts'
import { secretSettings, settingSchemas, type SettingName, type SettingValue } from './setting-schemas.ts'

/** What the settings are read from. */
export interface SettingSources {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The object that `holdfast.config.ts` exports, without its apps. */
  readonly file: Readonly<Record<string, unknown>>
  /** Relative paths begin here. */
  readonly folder: string
  /** Names of apps whose variables are known. */
  readonly appNames: readonly string[]
}

export interface ReadSettings {
  readonly settings: Settings
  /** Names of the apps to run, when the environment says. */
  readonly apps: readonly string[] | undefined
  /** Everything that must be mended before a start, each with what to do. */
  readonly problems: readonly string[]
  /** What is probably a mistake. */
  readonly warnings: readonly string[]
}

type Known = { readonly [Name in SettingName]?: SettingValue<Name> | undefined }

const names = Object.keys(settingSchemas) as SettingName[]
const otherVariables = ['HOLDFAST_DEV_AUTH']

/** Reads and checks all settings at once; whatever is wrong is reported together. */
export function readSettings(sources: SettingSources): ReadSettings {
  const problems: string[] = []
  const known: Known = Object.fromEntries(names.map((name) => [name, readOne(sources, name, problems)]))
  const settings: Settings = {
    host: known.host ?? '127.0.0.1',
    port: known.port ?? 8_787,
    data: resolve(sources.folder, known.data ?? 'holdfast-data'),
    trustProxy: known.trustProxy ?? false,
    registration: known.registration ?? 'open',
    rateLimits: known.rateLimits ?? true,
    logLevel: known.logLevel ?? 'info',
    corsOrigins: known.corsOrigins ?? [],
    databaseUrl: known.databaseUrl,
    storageUrl: known.storageUrl,
    redisUrl: known.redisUrl,
    publicUrl: known.publicUrl,
    smtpUrl: known.smtpUrl,
    smtpFrom: known.smtpFrom,
    metricsToken: known.metricsToken,
    secret: known.secret,
  }
  problems.push(...contradictions(settings, sources.environment))
  const warnings = [...unknownVariables(sources), ...unknownKeys(sources)]
  return { settings, apps: known.apps, problems, warnings }
}

/** `publicUrl` → `HOLDFAST_PUBLIC_URL`. */
export function variableOf(name: SettingName): string {
  return `HOLDFAST_${snakeCase(name).toUpperCase()}`
}

function readOne({ environment, file }: SettingSources, name: SettingName, problems: string[]): unknown {
  const variable = variableOf(name)
  const text = environment[variable]
  // A variable that is set to nothing is one that is not set: many tools cannot unset.
  const fromEnvironment = text !== undefined && text !== ''
  const value = fromEnvironment ? text : name === 'apps' ? undefined : file[name]
  if (value === undefined) return undefined
  const { schema, advice } = settingSchemas[name]
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const place = fromEnvironment ? variable : `${name} in holdfast.config.ts`
  problems.push(secretSettings.has(name) ? `${place}: ${advice}` : `${place}: ${JSON.stringify(value)} does not work. ${advice}`)
  return undefined
}

/** Settings that are sound by themselves and not together. */
function contradictions(settings: Settings, environment: SettingSources['environment']): string[] {
  const problems: string[] = []
  const open = !isLoopback(settings.host)
  if (open && !settings.rateLimits)
    problems.push(`HOLDFAST_RATE_LIMITS: limits can be off only while the server listens on this machine alone. Switch them on, or set HOLDFAST_HOST=127.0.0.1 (it is ${settings.host}).`)
  const devAuth = environment['HOLDFAST_DEV_AUTH']
  if (devAuth !== undefined && !['', '0', '1'].includes(devAuth)) problems.push('HOLDFAST_DEV_AUTH: Give 1 or 0.')
  if (open && devAuth === '1') problems.push(`HOLDFAST_DEV_AUTH: sign-in for development lets anybody be anybody. Unset it, or set HOLDFAST_HOST=127.0.0.1 (it is ${settings.host}).`)
  if (settings.storageUrl !== undefined) problems.push('HOLDFAST_STORAGE_URL: this version keeps files in the data folder. Unset it.')
  return problems
}

function unknownVariables({ environment, appNames }: SettingSources): string[] {
  const known = [...names.map(variableOf), ...otherVariables]
  const prefixes = ['HOLDFAST_TEST_', ...appNames.map((name) => `HOLDFAST_${name.toUpperCase()}_`)]
  return Object.keys(environment)
    .filter((name) => name.startsWith('HOLDFAST_') && !known.includes(name) && !prefixes.some((prefix) => name.startsWith(prefix)))
    .map((name) => `${name} is no setting${meant(name, known)} It is ignored.`)
}

function unknownKeys({ file }: SettingSources): string[] {
  return Object.keys(file)
    .filter((key) => !(names as readonly string[]).includes(key))
    .map((key) => `${key} in holdfast.config.ts is no setting${meant(key, names)} It is ignored.`)
}

function meant(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  return nearest === undefined ? '.' : `; did you mean ${nearest}?`
}
