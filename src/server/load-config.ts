import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { HostedApp } from '../http/http-context.ts'
import type { Config } from './config.ts'
import { isHostedApp, loadApps } from './load-apps.ts'
import { readSettings } from './read-settings.ts'
import { findShippedApps, shippedAppNames } from './shipped-apps.ts'
import { StartFailure } from './start-failure.ts'

export interface ConfigPlace {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The current folder: where `holdfast.config.ts` is looked for and relative paths begin. */
  readonly folder: string
  /** Path of the configuration file when it is not the usual one. */
  readonly file?: string | undefined
}

export interface LoadedConfig {
  readonly config: Config
  readonly warnings: readonly string[]
}

const usualFiles = ['holdfast.config.ts', 'holdfast.config.js', 'holdfast.config.mjs']

/** Reads environment and configuration file and loads the apps. Throws one `StartFailure` that lists every problem. */
export async function loadConfig({ environment, folder, file }: ConfigPlace): Promise<LoadedConfig> {
  const problems: string[] = []
  const { apps: configured, ...values } = await readConfigFile(folder, file, problems)
  const own = appsOf(configured, problems)
  const appNames = [...shippedAppNames, ...(own ?? []).flatMap((app) => (typeof app === 'string' ? [] : [app.app.name]))]
  const read = readSettings({ environment, file: values, folder, appNames })
  problems.push(...read.problems)
  const apps = await loadApps({ configured: own, wanted: read.apps, shipped: findShippedApps() }, problems)
  for (const app of apps) checkApp(app, environment, problems)
  if (problems.length > 0) throw new StartFailure(listProblems(problems))
  return { config: { ...read.settings, apps, environment }, warnings: read.warnings }
}

async function readConfigFile(folder: string, file: string | undefined, problems: string[]): Promise<Readonly<Record<string, unknown>>> {
  const path = file === undefined ? usualFiles.map((name) => join(folder, name)).find((usual) => existsSync(usual)) : resolve(folder, file)
  if (path === undefined) return {}
  try {
    const { default: exported }: { readonly default?: unknown } = await import(pathToFileURL(path).href)
    if (typeof exported === 'object' && exported !== null) return { ...exported }
    problems.push(`${path}: it must export its settings: export default defineConfig({ … })`)
  } catch (error) {
    problems.push(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return {}
}

function appsOf(configured: unknown, problems: string[]): readonly (HostedApp | string)[] | undefined {
  if (configured === undefined) return undefined
  const isApp = (app: unknown): app is HostedApp | string => typeof app === 'string' || isHostedApp(app)
  if (Array.isArray(configured) && configured.length > 0 && configured.every(isApp)) return configured
  problems.push('apps in holdfast.config.ts: give a list of what hostApp() answers, and names of apps that ship with Holdfast.')
  return undefined
}

function checkApp({ app, checkSettings }: HostedApp, environment: ConfigPlace['environment'], problems: string[]): void {
  try {
    checkSettings?.(environment)
  } catch (error) {
    problems.push(`${app.name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function listProblems(problems: readonly string[]): string {
  return [problems.length === 1 ? 'The configuration has a problem:' : `The configuration has ${problems.length} problems:`, ...problems.map((problem) => `- ${problem}`)].join('\n')
}
