import type { Outcome, PreparedMutation } from '../engine/mutation.ts'

/** The mutations of one push, route or job, with what must be stored beside them. */
export interface CommitRequest {
  readonly mutations: readonly PreparedMutation[]
  /** Exactly-once bookkeeping of a client that numbers its mutations. */
  readonly client?: { readonly id: string; readonly ackedThrough?: number; readonly pending?: number }
  /** Keep refused mutations as rows that a person can see: pushes do, single REST writes do not. Conflicts follow `keepConflicts`. */
  readonly keepRejected: boolean
  readonly keepConflicts: boolean
  /** All mutations are accepted or none is: then nothing is stored, and outcomes say why. */
  readonly atomic?: boolean
  readonly idempotency?: Idempotency
  readonly jobs?: readonly JobRequest[]
  /** Events for the audit log that change no record. */
  readonly events?: readonly AuditEvent[]
}

/** A repeated request with the same key gets `answer`'s stored result and has no second effect. */
export interface Idempotency {
  readonly key: string
  /** Digest of method, path and body: another request under the same key is refused with `idempotency.mismatch`. */
  readonly fingerprint: string
  /** What to store for a replay; undefined to leave the key unused. */
  answer(result: CommitResult): StoredAnswer | undefined
}

export interface StoredAnswer {
  readonly status: number
  /** JSON text. */
  readonly body: string
}

export interface JobRequest {
  readonly kind: string
  readonly payload: string
  readonly uniqueKey?: string
  readonly runAt?: number
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
  /** The server's clock inside the commit, epoch milliseconds. */
  readonly now: number
  /** One per mutation, in order. */
  readonly outcomes: readonly Outcome[]
  /** Set when this idempotency key had been used: nothing was written, this is the answer. */
  readonly replayed?: StoredAnswer
}
