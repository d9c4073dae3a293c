import type { Scope } from 'holdfast'
import { recordHistory, type CompiledCollection, type Outcome, type Reader } from 'holdfast/server'
import type { Capture } from './read-capture.ts'

/** States of an item that are looked through for the text. */
const STATES_MAX = 1_000

/** A capture that comes again after its item was edited says what the item once said: it is the same capture and no mistake. */
export async function repeatedCapture(reader: Reader, items: CompiledCollection, { space }: Pick<Scope, 'space'>, { id, mutation }: Capture, outcome: Outcome): Promise<Outcome> {
  if (outcome.status !== 'conflict' || outcome.reason !== 'stale') return outcome
  const text = mutation.sent['rawText'] ?? mutation.sent['url']
  const { rows } = await recordHistory(reader, items, space, id, { limit: STATES_MAX })
  return rows.some(({ record }) => record.fields['rawText'] === text) ? { status: 'unchanged', record: outcome.record } : outcome
}
