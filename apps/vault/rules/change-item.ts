import type { RuleContext, RuleOutcome } from 'holdfast'
import { firstLineTitle } from '../first-line.ts'
import { actionOfMove, isAllowed, stateAfter, type Action } from '../transitions.ts'
import { chooseTags } from './choose-tags.ts'
import { enrichJob, enrichTarget } from './enrich-job.ts'
import { blankItem, captureFields, contentFields, fieldsOf, itemOf, itemUrlKey, needsTitle, sameField, serverFields, type Item } from './item-fields.ts'
import { intentOf, type UserIntent } from './item-intent.ts'
import { invalidData, noTransition, readOnlyField } from './refusals.ts'
import { workerWrite } from './worker-write.ts'

type Refusal = Extract<RuleOutcome, { readonly kind: 'refuse' }>

interface Change {
  readonly stored: Item
  /** The item as the writer would have it, with the server's fields as they are stored. */
  readonly wanted: Item
  /** Undefined for a pushed edit that moves nothing. */
  readonly action: Action | undefined
}

/** A change of an item: by the table of states for people and devices, and as it is for the worker. */
export async function changeItem(context: RuleContext): Promise<RuleOutcome> {
  const intent = intentOf(context)
  const stored = itemOf(context.stored?.fields ?? {})
  const next = itemOf(context.next)
  if (intent?.by === 'worker') return workerWrite(context, intent)
  if (intent !== undefined && intent.by !== 'user') return { kind: 'accept' }
  const change = intent === undefined ? pushedChange(stored, next) : routeChange(stored, next, intent)
  return 'kind' in change ? change : apply(context, change, intent)
}

/** What a device means: the status that it sends is an action, and what only the server sets must be as it is. */
function pushedChange(stored: Item, next: Item): Change | Refusal {
  const kept: Partial<Record<keyof Item, unknown>> = {}
  for (const name of [...serverFields, ...captureFields]) {
    if (!sameField(next[name], stored[name]) && !sameField(next[name], blankItem[name])) return readOnlyField(name)
    kept[name] = stored[name]
  }
  // Where only an address was captured the text of the device is blank until it has read the item.
  const rawText = next.rawText === '' && stored.rawText === stored.url ? stored.rawText : next.rawText
  const wanted = { ...next, ...(kept as Partial<Item>), rawText }
  const action = actionOfMove(stored.status, next.status, stored.discardedFrom)
  if (action === undefined && next.status !== stored.status) return noTransition()
  const isEdit = contentFields.some((name) => !sameField(wanted[name], stored[name]))
  if (isEdit && stored.status === 'DISCARDED' && action === undefined) return noTransition()
  return { stored, wanted, action }
}

function routeChange(stored: Item, next: Item, { action = 'edit' }: UserIntent): Change | Refusal {
  return isAllowed(stored.status, action) ? { stored, wanted: next, action } : noTransition()
}

async function apply({ id, sent, now, reader }: RuleContext, { stored, wanted, action }: Change, intent: UserIntent | undefined): Promise<RuleOutcome> {
  const proposed = intent?.acceptProposal === undefined ? { item: wanted } : withProposal({ stored, wanted }, sent, intent.acceptProposal)
  if ('kind' in proposed) return proposed
  if (wanted.rawText === '') return invalidData('rawText', 'An item has a text.')
  const answered = withAnswers(proposed.item, intent)
  if ('kind' in answered) return answered
  const tags = await chooseTags(reader, {
    carried: stored.tagIds,
    ids: wanted.tagIds,
    names: intent?.tagNames,
    suggested: answered.accepted,
    added: intent?.addedTagIds ?? [],
    removed: intent?.removedTagIds ?? [],
    strict: intent !== undefined,
    newIds: intent?.newTagIds ?? [],
    now,
  })
  if (tags.kind === 'refuse') return tags
  const tagIdOf = new Map(answered.accepted.map((suggestion, index) => [suggestion.id, tags.suggestedIds[index] ?? '']))
  const status = action === undefined ? stored.status : stateAfter(stored.status, action, stored.discardedFrom)
  const item: Item = {
    ...answered.item,
    suggestedTags: answered.item.suggestedTags.map((suggestion) => (tagIdOf.has(suggestion.id) ? { ...suggestion, tagId: tagIdOf.get(suggestion.id) } : suggestion)),
    tagIds: [...tags.tagIds],
    status,
    ...(action === undefined ? {} : effectOf(action, stored, { now, attempts: intent?.attempts })),
  }
  if (item.rawText === '') return invalidData('rawText', 'An item has a text or an address.')
  const isTextNew = item.rawText !== stored.rawText
  const titled = item.title === null && needsTitle(status) ? { title: firstLineTitle(item.rawText) } : {}
  const keyed = isTextNew ? { urlKey: itemUrlKey(item) } : {}
  const asksAnew = action === 'retry' || (isTextNew && status === 'ENRICHING')
  return {
    kind: 'accept',
    fields: fieldsOf({ ...item, ...titled, ...keyed }),
    also: tags.also,
    // A text that is asked about no more, or no longer as it was.
    stops: asksAnew || action === 'discard' || action === 'cancel' ? [enrichTarget(id)] : [],
    jobs: asksAnew ? [enrichJob(id)] : [],
  }
}

/** Takes what waits in `proposal`, except for what the writer says otherwise, or drops it. */
function withProposal({ stored, wanted }: Pick<Change, 'stored' | 'wanted'>, sent: RuleContext['sent'], accept: boolean): { readonly item: Item } | Refusal {
  const { proposal } = stored
  if (proposal === null) return invalidData('acceptProposal', 'There is no proposal.')
  if (!accept) return { item: { ...wanted, proposal: null } }
  const { title, summary, suggestedTags, sourceType } = proposal
  const taken = { suggestedTags, sourceType, ...(Object.hasOwn(sent, 'title') ? {} : { title: title ?? wanted.title }), ...(Object.hasOwn(sent, 'summary') ? {} : { summary }) }
  return { item: { ...wanted, ...taken, proposal: null } }
}

type Suggestion = Item['suggestedTags'][number]

/** The suggestions with what a person says about them. */
function withAnswers(item: Item, intent: UserIntent | undefined): { readonly item: Item; readonly accepted: readonly Suggestion[] } | Refusal {
  const { acceptedSuggestionIds = [], rejectedSuggestionIds = [] } = intent ?? {}
  const [accepted, rejected] = [new Set(acceptedSuggestionIds), new Set(rejectedSuggestionIds)]
  const known = new Set(item.suggestedTags.map((suggestion) => suggestion.id))
  if ([...accepted].some((id) => !known.has(id))) return invalidData('acceptedSuggestionIds', 'There is no such suggestion.')
  if ([...rejected].some((id) => !known.has(id))) return invalidData('rejectedSuggestionIds', 'There is no such suggestion.')
  if ([...accepted].some((id) => rejected.has(id))) return invalidData('rejectedSuggestionIds', 'A suggestion is either accepted or rejected.')
  const answer = ({ id, status }: Suggestion) => (accepted.has(id) ? 'ACCEPTED' : rejected.has(id) ? 'REJECTED' : status)
  return {
    item: { ...item, suggestedTags: item.suggestedTags.map((suggestion) => ({ ...suggestion, status: answer(suggestion) })) },
    accepted: item.suggestedTags.filter(({ id }) => accepted.has(id)),
  }
}

/** What an action sets besides the status. */
function effectOf(action: Action, stored: Item, { now, attempts }: { readonly now: number; readonly attempts: number | undefined }): Partial<Item> {
  switch (action) {
    case 'confirm':
      return { confirmedAt: now }
    case 'archive':
      return { confirmedAt: now, enrichmentMode: 'MANUAL', sourceType: stored.sourceType ?? 'NOTE' }
    case 'discard':
      return { discardedAt: now, discardedFrom: stored.status }
    case 'restore':
      return { discardedAt: null, discardedFrom: null }
    case 'retry':
      return { attempts: 0, outcome: null, errorCode: null, errorMessage: null, provider: null, model: null }
    case 'cancel':
      return { outcome: 'cancelled', errorCode: 'CANCELLED', errorMessage: 'Cancelled.', attempts: attempts ?? stored.attempts }
    case 'edit':
    case 'enrich':
      return {}
  }
}
