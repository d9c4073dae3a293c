import type { CompiledApp } from '../app/compile-app.ts'
import type { Scope, StoredRecord } from '../app/rule.ts'
import type { Outcome, PreparedMutation } from '../engine/mutation.ts'
import type { PushResult, WireRecord } from '../protocol/push.ts'
import { wireRecord } from '../storage/record-rows.ts'
import { mayRead } from './route-scope.ts'

export interface PushedMutations {
  readonly app: CompiledApp
  readonly scope: Scope
  readonly mutations: readonly PreparedMutation[]
}

/**
 * Outcomes of a commit as a push answers them. The record comes along where the client must take or compare it:
 * merged, conflict, rejected, and replays. A collection that the writer may not read stays unseen here as well.
 */
export function pushResults(outcomes: readonly Outcome[], { app, scope, mutations }: PushedMutations): PushResult[] {
  return outcomes.map((outcome, index) => {
    const collection = app.collections.get(mutations[index]?.collection ?? '')
    const shown = (record: StoredRecord | undefined): WireRecord | null =>
      record === undefined || collection === undefined || !mayRead(scope, collection) ? null : wireRecord(collection.name, record)
    return resultOf(outcome, shown)
  })
}

function resultOf(outcome: Outcome, shown: (record: StoredRecord | undefined) => WireRecord | null): PushResult {
  const { status, record } = outcome
  const head = { ...(outcome.n === undefined ? {} : { n: outcome.n }), status, ...(record === undefined ? {} : { version: record.version }) }
  switch (outcome.status) {
    case 'applied':
    case 'unchanged':
      return outcome.replayed === true ? { ...head, record: shown(record) } : head
    case 'merged':
      return { ...head, record: shown(record) }
    case 'conflict':
      return { ...head, record: shown(record), ...(outcome.conflictId === undefined ? {} : { conflictId: outcome.conflictId }) }
    case 'rejected':
      return { ...head, record: shown(record), error: outcome.error }
  }
}
