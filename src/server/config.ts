import type { HostedApp } from '../http/http-context.ts'
import type { SettingName, SettingValue } from './setting-schemas.ts'

type Optional = 'databaseUrl' | 'storageUrl' | 'redisUrl' | 'publicUrl' | 'smtpUrl' | 'smtpFrom' | 'metricsToken' | 'secret'

/** The settings of a server, checked and with defaults filled in. `data` is an absolute path. */
export type Settings = { readonly [Name in Exclude<SettingName, Optional | 'apps'>]: SettingValue<Name> } & { readonly [Name in Optional]: SettingValue<Name> | undefined }

/** Everything that decides how a server runs. */
export interface Config extends Settings {
  readonly apps: readonly HostedApp[]
  /** Values of `HOLDFAST_<APP>_…` as the environment has them. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What `holdfast.config.ts` may set: the settings, with apps by name or as they are. The environment goes before it. */
export type ConfigFile = { readonly [Name in Exclude<SettingName, 'apps'>]?: SettingValue<Name> } & {
  /** Apps of your own, and names of apps that ship with Holdfast. */
  readonly apps?: readonly (HostedApp | string)[]
}

/** Declares `holdfast.config.ts`: `export default defineConfig({ apps: [notes] })`. */
export function defineConfig(config: ConfigFile): ConfigFile {
  return config
}

/** True when only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
