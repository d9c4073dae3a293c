import { hostApp, type HostedApp } from 'holdfast/server'
import { vault } from './app.ts'
import { answerError } from './routes/answer-errors.ts'
import { registerRoutes } from './routes/register-routes.ts'
import { createRules } from './rules.ts'
import { readSettings, type VaultSettings } from './settings.ts'
import { vaultJobs } from './worker/vault-jobs.ts'

/** How long running calls may go on when the process is told to stop, in milliseconds. */
const GRACE_MS = 5_000

/** The vault as a server runs it. */
export const hosted = hostApp({
  app: vault,
  partsFor: (environment) => partsFor(readSettings(environment)),
  routes: registerRoutes,
  answerError,
  requestLimit: { requestsMax: 600, windowS: 60 },
  checkSettings: readSettings,
})

function partsFor(settings: VaultSettings): Pick<HostedApp, 'rules' | 'jobs' | 'runner'> {
  const { pollMs, leaseMs, concurrency } = settings
  return { rules: createRules(settings), jobs: vaultJobs(settings), runner: { pollMs, leaseMs, graceMs: GRACE_MS, places: { slow: concurrency } } }
}
