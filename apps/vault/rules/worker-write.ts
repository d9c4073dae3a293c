import type { RuleContext, RuleOutcome } from 'holdfast'
import { fieldsOf, itemOf } from './item-fields.ts'
import type { WorkerIntent } from './item-intent.ts'
import { noTransition } from './refusals.ts'

/** What the worker writes to an item, decided on what is stored now: only where the item is still in a state that this is meant for, and nothing over a person's words. */
export function workerWrite(context: RuleContext, { from, strict = false }: WorkerIntent): RuleOutcome {
  const stored = itemOf(context.stored?.fields ?? {})
  const next = itemOf(context.next)
  if (from.includes(stored.status)) return { kind: 'accept', fields: fieldsOf({ title: stored.title ?? next.title, summary: stored.summary ?? next.summary }) }
  return strict ? noTransition() : { kind: 'accept', fields: fieldsOf(stored) }
}
