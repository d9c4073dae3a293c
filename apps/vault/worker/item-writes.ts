import type { EndedJob, JobWrite } from 'holdfast/server'
import type { Status } from '../app.ts'
import { firstLineTitle } from '../first-line.ts'
import type { Enrichment, Provider, SourceType, SuggestedTag } from '../providers/provider.ts'
import type { Run } from '../rules/enrich-job.ts'
import { fieldsOf, type Item } from '../rules/item-fields.ts'
import { intentContext } from '../rules/item-intent.ts'
import { shownReason } from '../rules/job-reason.ts'
import { readTagName } from '../tag-name.ts'

/** The states in which an item waits for a run. */
export const waitsIn: Readonly<Record<Run, readonly Status[]>> = { first: ['ENRICHING'], again: ['READY_TO_CONFIRM', 'ARCHIVED'] }

/** An attempt that has an answer. */
export interface Answered {
  readonly itemId: string
  readonly run: Run
  readonly jobId: string
  readonly attempt: number
  readonly rawText: string
  readonly provider: Pick<Provider, 'name' | 'model'>
  /** What the item is where the provider does not say: an article when its page was read. */
  readonly sourceType: SourceType
  readonly now: number
}

export const SWITCHED_OFF = 'Suggestions are switched off.'
const noError = { errorCode: null, errorMessage: null }

/** What a provider's answer makes of the item. */
export function answerWrite(answered: Answered, enrichment: Enrichment): JobWrite {
  const { itemId, run, attempt, provider, now } = answered
  const told = { outcome: enrichment.kind, attempts: attempt, provider: provider.name, model: provider.model, ...noError }
  const found = foundBy(answered, enrichment)
  if (run === 'first') return itemWrite(itemId, { from: waitsIn.first, fields: { ...told, ...found, status: 'READY_TO_CONFIRM' } })
  const proposal = enrichment.kind === 'done' ? { proposal: { ...found, createdAt: now } } : {}
  return itemWrite(itemId, { from: waitsIn.again, fields: { ...told, ...proposal } })
}

type Found = Pick<Item, 'title' | 'summary' | 'suggestedTags'> & { readonly sourceType: SourceType }

/** Where there is nothing to say the item is called by its first line. */
function foundBy({ jobId, rawText, sourceType }: Answered, enrichment: Enrichment): Found {
  const firstLine = firstLineTitle(rawText)
  if (enrichment.kind !== 'done') return { title: firstLine, summary: null, suggestedTags: [], sourceType }
  return {
    title: enrichment.title.trim() === '' ? firstLine : enrichment.title,
    summary: enrichment.summary.trim() === '' ? null : enrichment.summary,
    suggestedTags: acceptableTags(enrichment.tags).map(({ name, confidence, tagId }, index) => ({
      id: `${jobId}-${index + 1}`,
      name,
      confidence,
      status: 'PENDING',
      ...(tagId === undefined ? {} : { tagId }),
    })),
    sourceType: enrichment.sourceType,
  }
}

/** What of a provider's suggestions can be accepted: each tag once, under the name that it gets then. Whoever suggests, it is held to the rule of tags. */
function acceptableTags(suggested: readonly SuggestedTag[]): SuggestedTag[] {
  const byKey = new Map<string, SuggestedTag>()
  for (const one of suggested) {
    const tag = readTagName(one.name)
    if (tag !== undefined && !byKey.has(tag.nameKey)) byKey.set(tag.nameKey, { ...one, name: tag.name })
  }
  return [...byKey.values()]
}

/** An item whose owner wants no suggestions by now is in the library, as if it had been captured today. */
export function keepWrite(itemId: string, { rawText, now }: { readonly rawText: string; readonly now: number }): JobWrite {
  return itemWrite(itemId, { from: waitsIn.first, fields: { status: 'ARCHIVED', enrichmentMode: 'MANUAL', sourceType: 'NOTE', confirmedAt: now, title: firstLineTitle(rawText) } })
}

/** Whoever asks again while suggestions are off is told that nothing came of it. */
export function switchedOffWrite(itemId: string, attempt: number): JobWrite {
  return itemWrite(itemId, { from: waitsIn.again, fields: { outcome: 'empty', attempts: attempt, errorCode: null, errorMessage: SWITCHED_OFF } })
}

type Ended = Pick<EndedJob, 'attempts' | 'end' | 'reason'>

/** What the end of a job without success makes of the item. One that was asked about again stays as it is, and says why nothing came of it. */
export function endedWrite(itemId: string, run: Run, ended: Ended): JobWrite {
  if (run === 'again' && ended.end !== 'dead') return {}
  const status: Partial<Item> = run === 'first' ? { status: 'FAILED' } : {}
  return itemWrite(itemId, { from: waitsIn[run], fields: { ...status, attempts: ended.attempts, ...failureOf(ended) } })
}

function failureOf({ end, reason }: Ended): Pick<Item, 'outcome' | 'errorCode' | 'errorMessage'> {
  if (end !== 'dead') return { outcome: 'cancelled', errorCode: 'CANCELLED', errorMessage: 'Cancelled.' }
  return { outcome: 'failed', ...shownReason(reason) }
}

/** A person starts a job that had failed once more: the item waits again. Refused where it does not wait for that. */
export function retriedWrite(itemId: string, run: Run): JobWrite {
  if (run === 'again') return {}
  return itemWrite(itemId, { from: ['FAILED'], strict: true, fields: { status: 'ENRICHING', attempts: 0, outcome: null, provider: null, model: null, ...noError } })
}

interface ItemWrite {
  readonly from: readonly Status[]
  readonly strict?: boolean
  readonly fields: Partial<Item>
}

function itemWrite(itemId: string, { from, strict = false, fields }: ItemWrite): JobWrite {
  return { mutations: [{ collection: 'items', id: itemId, op: 'patch', data: fieldsOf(fields), context: intentContext({ by: 'worker', from, strict }) }] }
}
