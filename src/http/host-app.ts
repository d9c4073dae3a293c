import { compileApp } from '../app/compile-app.ts'
import type { App } from '../app/define-app.ts'
import type { HostedApp } from './http-context.ts'

/** What a server needs to run an app; only the declaration is required. */
export type AppToHost = Omit<HostedApp, 'app' | 'rules'> & Partial<Pick<HostedApp, 'rules'>> & { readonly app: App }

/** Joins a declaration with its server side. Throws when the declaration is not sound, or a rule or migration names nothing of the app. */
export function hostApp({ app: declared, rules = {}, ...parts }: AppToHost): HostedApp {
  const app = compileApp(declared)
  for (const name of Object.keys(rules)) {
    if (!app.collections.has(name)) throw new Error(`${app.name}: there is a rule for "${name}", which is no collection of the app.`)
  }
  for (const { name } of parts.migrations ?? []) {
    if (!name.startsWith(`${app.name}/`)) throw new Error(`${app.name}: the migration "${name}" must be named "${app.name}/<number>-<what-it-does>".`)
  }
  return { app, rules, ...parts }
}
