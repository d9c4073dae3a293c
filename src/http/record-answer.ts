import type { CompiledCollection } from '../app/compile-app.ts'
import type { Scope, StoredRecord } from '../app/rule.ts'
import type { Outcome } from '../engine/mutation.ts'
import { cutText } from '../lib/cut-text.ts'
import { rejectionCodes } from '../protocol/error-codes.ts'
import { Problem } from '../protocol/problem.ts'
import type { MutationError, WireRecord } from '../protocol/push.ts'
import { wireRecord } from '../storage/record-rows.ts'
import { mayRead } from './route-scope.ts'

/** A record as its writer may see it: one who may not read the collection gets no data back. */
export function shownRecord(scope: Scope, collection: CompiledCollection, record: StoredRecord): WireRecord {
  const wire = wireRecord(collection.name, record)
  return mayRead(scope, collection) ? wire : { ...wire, data: null }
}

/** The code for a base that is not the current version: it depends on what was asked. */
export type StaleCode = 'record.exists' | 'precondition.failed'

/** What the refusal of a single write is as an answer. */
export function refusalOf(outcome: Extract<Outcome, { status: 'conflict' | 'rejected' }>, shown: WireRecord | null, stale: StaleCode): Problem {
  if (outcome.status === 'conflict') return new Problem(stale, { extra: { record: shown } })
  return rejectionProblem(outcome.error, shown)
}

const DETAIL_CHARS_MAX = 500

/** A rejected mutation as an answer of its own. A code that is not the platform's is that of a rule of the app. */
export function rejectionProblem(error: MutationError, record: WireRecord | null): Problem {
  const { code, message, fields = [] } = error
  switch (code) {
    case 'record.not_found':
      return new Problem('not_found')
    case 'collection.unknown':
      return new Problem('not_found', { detail: message })
    case 'access.forbidden':
      return new Problem('access.forbidden')
    case 'base.ahead':
      return new Problem('precondition.failed', { extra: { record } })
    default: {
      const detail = cutText([message, ...fields.map((field) => `${field.path}: ${field.message}`)].join(' '), DETAIL_CHARS_MAX)
      return Object.hasOwn(rejectionCodes, code)
        ? new Problem('record.invalid', { detail, fields, extra: { reason: code } })
        : new Problem('record.refused', { detail, fields, extra: { reason: code } })
    }
  }
}
