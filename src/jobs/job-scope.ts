import type { Scope } from '../app/rule.ts'

/** Who acts when a job writes: the system, under the name of the job's kind. */
export function jobScope(job: { readonly id: string; readonly app: string; readonly kind: string }, space: number): Scope {
  return { actor: { type: 'system', id: `job:${job.kind}`, name: job.kind }, device: null, app: job.app, space, role: 'owner', requestId: `job-${job.id}` }
}
