import { defineJob, type Job, type JobContext, type JobDefinition, type JobOutcome } from 'holdfast/server'
import type { RecordOf } from 'holdfast'
import { z } from 'zod'
import type { vault } from '../app.ts'
import type { EnrichInput, Provider } from '../providers/provider.ts'
import { itemOf } from '../rules/item-fields.ts'
import type { VaultSettings } from '../settings.ts'
import { askProvider } from './ask-provider.ts'
import { FETCH_MS_MAX, READ_MS_MAX, type ArticleFetcher } from './fetch-article.ts'
import { findKnownTags } from './find-known-tags.ts'
import { haveArticle } from './have-article.ts'
import { answerWrite, endedWrite, keepWrite, retriedWrite, SWITCHED_OFF, switchedOffWrite, waitsIn } from './item-writes.ts'

export interface EnrichDeps {
  readonly settings: Pick<VaultSettings, 'aiTimeoutMs' | 'concurrency' | 'attemptsMax' | 'retryDelaysMs' | 'dailyLimit'>
  /** Undefined when nobody is to be asked. */
  readonly provider: Provider | undefined
  /** Undefined when pages are not fetched. */
  readonly fetcher: ArticleFetcher | undefined
}

const payloadSchema = z.object({ itemId: z.string(), run: z.enum(['first', 'again']).default('first') })
type EnrichJob = Job<z.infer<typeof payloadSchema>>

const DAY_MS = 86_400_000
/** What an attempt takes beside page and provider, in milliseconds, at most. */
const OWN_MS_MAX = 10_000

/** The job that asks the provider about one item and writes what comes of it. */
export function enrichItem(deps: EnrichDeps): JobDefinition {
  const { aiTimeoutMs, concurrency, attemptsMax, retryDelaysMs } = deps.settings
  return defineJob(payloadSchema, (job, context) => enrich(deps, job, context), {
    lane: 'slow',
    attempts: attemptsMax,
    backoffMs: retryDelaysMs,
    timeoutMs: FETCH_MS_MAX + READ_MS_MAX + aiTimeoutMs + OWN_MS_MAX,
    concurrency,
    collection: 'items',
    ended: ({ payload: { itemId, run }, ...ended }) => endedWrite(itemId, run, ended),
    retried: ({ payload: { itemId, run } }) => retriedWrite(itemId, run),
  })
}

async function enrich({ settings, provider, fetcher }: EnrichDeps, job: EnrichJob, context: JobContext): Promise<JobOutcome> {
  const { itemId, run } = job.payload
  const record = await context.records.get('items', itemId)
  if (record === undefined || record.deletedAt !== null || !waitsIn[run].includes(itemOf(record.fields).status)) {
    return { kind: 'empty', reason: { code: 'NOT_WAITING', message: 'The item does not wait for it any more.' } }
  }
  const { rawText } = itemOf(record.fields)
  const leave: JobOutcome = { ...switchedOff, write: run === 'first' ? keepWrite(itemId, { rawText, now: context.now() }) : switchedOffWrite(itemId, job.attempt) }
  if (provider === undefined || !(await ownSettings(context)).aiSuggestionsEnabled) return leave
  const wait = job.attempt === 1 ? await waitForNextDay(settings, context) : undefined
  if (wait !== undefined) return wait
  const article = fetcher === undefined ? undefined : await haveArticle(fetcher, context, { item: record, attempt: job.attempt })
  // The page took its time: what its owner wants is looked up once more, right before the text leaves.
  const own = await ownSettings(context)
  if (!own.aiSuggestionsEnabled) return leave
  const input: EnrichInput = {
    text: rawText,
    article: article === undefined ? undefined : { title: article.title ?? '', text: article.text },
    language: own.defaultLanguage,
    knownTags: own.knownTagsFirst ? await findKnownTags(context.records) : [],
  }
  const enrichment = await askProvider(provider, input, { timeoutMs: settings.aiTimeoutMs, signal: context.signal, now: () => context.now() })
  const sourceType = article === undefined ? 'NOTE' : 'ARTICLE'
  return { kind: enrichment.kind, write: answerWrite({ itemId, run, jobId: job.id, attempt: job.attempt, rawText, provider, sourceType, now: context.now() }, enrichment) }
}

const switchedOff = { kind: 'empty', reason: { code: 'AI_OFF', message: SWITCHED_OFF } } as const

/** The limit counts what has begun today (UTC); what is beyond it begins tomorrow. */
async function waitForNextDay({ dailyLimit }: Pick<VaultSettings, 'dailyLimit'>, context: JobContext): Promise<JobOutcome | undefined> {
  if (dailyLimit === undefined) return undefined
  const today = Math.floor(context.now() / DAY_MS) * DAY_MS
  if ((await context.beganSince(today)) <= dailyLimit) return undefined
  return { kind: 'later', runAt: today + DAY_MS, reason: { code: 'DAILY_LIMIT', message: "Today's suggestions are used up; it goes on tomorrow." } }
}

type OwnSettings = Pick<RecordOf<typeof vault, 'settings'>, 'aiSuggestionsEnabled' | 'knownTagsFirst' | 'defaultLanguage'>

async function ownSettings({ records }: JobContext): Promise<OwnSettings> {
  const found = await records.get('settings', 'me')
  if (found === undefined || found.deletedAt !== null) return { aiSuggestionsEnabled: true, knownTagsFirst: true, defaultLanguage: 'en' }
  return found.fields as unknown as OwnSettings
}
