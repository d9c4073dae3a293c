import type { HttpContext } from '../http/http-context.ts'
import { joinWishes, JobRunner, type RunnerDeps } from '../jobs/job-runner.ts'
import { tellingStore } from '../jobs/tell-jobs.ts'
import { createJobStore } from '../storage/job-store.ts'

/** Makes the worker for the jobs of a server's apps. It works once it is started. */
export function createRunner(context: HttpContext, { record, options }: Pick<RunnerDeps, 'record' | 'options'>): JobRunner {
  const { database, apps, chance, doorbell } = context
  const jobs = new Map([...apps].map(([name, hosted]) => [name, hosted.jobs ?? {}]))
  const wished = joinWishes([...apps.values()].flatMap(({ runner = [] }) => runner))
  const store = tellingStore(createJobStore({ database, apps, chance, commit: (scope, request) => context.commit(scope, request) }), (news) => doorbell.tellJobs(news))
  return new JobRunner({ store, jobs, chance, listen: (listener) => doorbell.listenJobs(listener), record, options: { ...wished, ...options } })
}
