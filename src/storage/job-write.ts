import type { RuleMutation } from '../app/rule.ts'
import type { Mutation } from '../engine/mutation.ts'
import type { JobWrite } from '../jobs/define-job.ts'
import type { CommitRequest } from './commit-request.ts'

/** What a job writes as a commit: with the system's rights, all or nothing, on whatever is there. */
export function jobWriteRequest({ mutations = [], jobs = [], stops = [] }: JobWrite): CommitRequest {
  return { mutations: mutations.map(trusted), atomic: true, keepRejected: false, keepConflicts: false, jobs, stops }
}

function trusted({ data, ...head }: RuleMutation): Mutation {
  return { ...head, base: 'any', sent: data ?? {}, trusted: true }
}
