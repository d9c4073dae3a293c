import type { JobRequest, JobTarget } from '../app/job-request.ts'
import type { Outcome, PreparedMutation } from '../engine/mutation.ts'
import type { ConflictRow } from './conflict-store.ts'
import type { Reader } from './database.ts'
import type { JobChange } from './job-change.ts'
import type { JobHold } from './job-lease.ts'
import type { Unresolved } from './settle-conflict.ts'

/** The mutations of one push, route or job, with what must be stored beside them. */
export interface CommitRequest {
  readonly mutations: readonly PreparedMutation[]
  /** Exactly-once bookkeeping of a client that numbers its mutations. */
  readonly client?: { readonly id: string; readonly ackedThrough?: number; readonly pending?: number }
  /** From what the writer read or wrote last. Throws `Problem` 410, deciding nothing, where the log is not the same any more. */
  readonly proof?: string
  /** Keep refused mutations as rows that a person can see: pushes do, single REST writes do not. Conflicts follow `keepConflicts`. */
  readonly keepRejected: boolean
  readonly keepConflicts: boolean
  /** All mutations are accepted or none is: then nothing is stored, and outcomes say why. */
  readonly atomic?: boolean
  readonly idempotency?: Idempotency
  readonly jobs?: readonly JobRequest[]
  /** Live jobs that are no longer wanted; they end before `jobs` are added. */
  readonly stops?: readonly JobTarget[]
  /** Written by a job: throws `LeaseLost`, storing nothing, unless the job is still this worker's. */
  readonly hold?: JobHold
  /** A person's word on one job. Throws `Problem` when the job's state does not allow it. */
  readonly jobChange?: JobChange
  /** Ends a conflict, or refreshes it when the record has moved on, with what the mutation did. */
  readonly resolution?: ConflictResolution
  /** Events for the audit log that change no record. */
  readonly events?: readonly AuditEvent[]
}

export interface ConflictResolution {
  /** The conflict as it was when the choice was made ready. */
  readonly seen: ConflictRow
  readonly choice: 'server' | 'client' | 'merged'
  readonly by: string
}

/** A repeated request with the same key gets `answer`'s stored result and has no second effect. */
export interface Idempotency {
  readonly key: string
  /** Digest of method, path and body. */
  readonly fingerprint: string
  /** What another request under the same key gets: `idempotency.mismatch`, or the answer of the first one. The former unless set. */
  readonly mismatch?: 'refuse' | 'replay'
  /** The key belongs to the space, whoever sends it; else members of a space do not share keys. */
  readonly shared?: true
  /** How long the answer is kept, in milliseconds; a day unless set. Then the key is as good as new. */
  readonly lifeMs?: number
  /** What to store for a replay; undefined to leave the key unused. `reader` sees what the commit has written. */
  answer(result: CommitResult, reader: Reader): StoredAnswer | undefined | Promise<StoredAnswer | undefined>
}

export interface StoredAnswer {
  readonly status: number
  /** JSON text. */
  readonly body: string
}

export interface AuditEvent {
  /** Such as `keys.create`. */
  readonly action: string
  readonly entity: string
  readonly entityId: string
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
}

export interface CommitResult {
  readonly epoch: string
  /** The space's version after the commit. */
  readonly version: number
  /** Start of the log's hash at that version, as cursors carry it. */
  readonly chain: string
  /** The server's clock inside the commit, epoch milliseconds. */
  readonly now: number
  /** One per mutation, in order. */
  readonly outcomes: readonly Outcome[]
  /** Set when the conflict of `resolution` was closed or changed before: nothing was written. */
  readonly unresolved?: Unresolved
  /** The row to resolve next, when the record had moved on before it could be resolved. */
  readonly freshConflictId?: string
  /** Set when this idempotency key had been used: nothing was written, this is the answer. */
  readonly replayed?: StoredAnswer
}
