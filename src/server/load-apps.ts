import type { HostedApp } from '../http/http-context.ts'
import { nearestName } from '../lib/nearest-name.ts'

export interface AppSources {
  /** Apps of `holdfast.config.ts`, and names of shipped ones among them; undefined when it names none. */
  readonly configured: readonly (HostedApp | string)[] | undefined
  /** What the environment asks for. */
  readonly wanted: readonly string[] | undefined
  /** Addresses of the server side of shipped apps, by name. */
  readonly shipped: ReadonlyMap<string, string>
}

/** Loads the apps to run; what cannot be loaded becomes a problem. */
export async function loadApps({ configured, wanted, shipped }: AppSources, problems: string[]): Promise<readonly HostedApp[]> {
  const own = new Map((configured ?? []).flatMap((app) => (typeof app === 'string' ? [] : [[app.app.name, app] as const])))
  const byDefault = configured?.map((app) => (typeof app === 'string' ? app : app.app.name)) ?? [...shipped.keys()]
  const place = wanted === undefined ? 'apps in holdfast.config.ts' : 'HOLDFAST_APPS'
  const loaded: HostedApp[] = []
  for (const name of new Set(wanted ?? byDefault)) {
    const url = shipped.get(name)
    const app = own.get(name) ?? (url === undefined ? undefined : await importApp(name, url, problems))
    if (app !== undefined) loaded.push(app)
    else if (url === undefined) problems.push(unknownApp(place, name, [...own.keys(), ...shipped.keys()]))
  }
  return loaded
}

async function importApp(name: string, url: string, problems: string[]): Promise<HostedApp | undefined> {
  try {
    const found: { readonly default?: HostedApp; readonly hosted?: HostedApp } = await import(url)
    const app = found.default ?? found.hosted
    if (isHostedApp(app)) return app
    problems.push(`The app ${name} has no server side: ${url} must export what hostApp() answers, as default or as "hosted".`)
  } catch (error) {
    problems.push(`The app ${name} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
  }
  return undefined
}

/** What a configuration file exports may be anything. */
export function isHostedApp(value: unknown): value is HostedApp {
  return (
    typeof value === 'object' &&
    value !== null &&
    'app' in value &&
    'rules' in value &&
    typeof value.app === 'object' &&
    value.app !== null &&
    'collections' in value.app &&
    value.app.collections instanceof Map
  )
}

function unknownApp(place: string, name: string, there: readonly string[]): string {
  const nearest = nearestName(name, there)
  return `${place}: there is no app "${name}"${nearest === undefined ? '' : `; did you mean ${nearest}?`} There ${there.length === 1 ? 'is' : 'are'} ${there.join(', ')}.`
}
