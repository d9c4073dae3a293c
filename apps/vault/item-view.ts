import type { Fields, JsonValue, StoredRecord } from 'holdfast'
import { getRecords, liveJobs, type CompiledCollection, type JobRow, type Reader } from 'holdfast/server'
import { ENRICH } from './rules/enrich-job.ts'
import { itemOf, type Item } from './rules/item-fields.ts'
import { shownReason } from './rules/job-reason.ts'

/** An item as the dialect shows it; every field is there, null where it has no value. */
export type ItemView = Readonly<Record<string, JsonValue>> & { readonly id: string; readonly version: number; readonly status: Item['status'] }

/** `whole` for one item; lists leave out attachments and article. */
export type ViewForm = 'whole' | 'listed'

export interface ViewPlace {
  readonly space: number
  readonly collections: Readonly<Record<'tags' | 'articles', CompiledCollection>>
}

/** Shows items in the order given. One statement for each kind of thing that is shown with them, however many they are. */
export async function viewItems(reader: Reader, { space, collections }: ViewPlace, records: readonly StoredRecord[], form: ViewForm): Promise<ItemView[]> {
  const tagIds = new Set(records.flatMap(({ fields }) => itemOf(fields).tagIds))
  const ids = records.map(({ id }) => id)
  const [tags, jobs, articles] = await Promise.all([
    getRecords(reader, collections.tags, space, [...tagIds]),
    liveJobs(reader, space, ENRICH, ids),
    form === 'whole' ? readArticleHeads(reader, collections.articles, space, ids) : new Map<string, JsonValue>(),
  ])
  const tagById = new Map(tags.filter(({ deletedAt }) => deletedAt === null).map((tag) => [tag.id, { id: tag.id, name: tag.fields['name'] ?? '', color: tag.fields['color'] ?? '' }]))
  return records.map((record) => {
    const item = itemOf(record.fields)
    return {
      id: record.id,
      rawText: item.rawText,
      url: item.url,
      title: item.title,
      summary: item.summary,
      status: item.status,
      sourceType: item.sourceType,
      enrichmentMode: item.enrichmentMode,
      tags: item.tagIds.flatMap((id) => tagById.get(id) ?? []),
      suggestedTags: item.suggestedTags as unknown as JsonValue,
      proposal: item.proposal === null ? null : ({ ...item.proposal, createdAt: isoTime(item.proposal.createdAt) } as unknown as JsonValue),
      attachmentCount: 0,
      ...(form === 'whole' ? { attachments: [], article: articles.get(record.id) ?? null } : {}),
      enrichment: viewEnrichment(item, jobs.get(record.id)),
      duplicateOf: item.duplicateOf,
      version: record.version,
      capturedAt: isoTime(item.capturedAt),
      createdAt: isoTime(record.createdAt),
      // A version is a time that is later with every change, also of two in one millisecond.
      updatedAt: isoTime(record.version),
      confirmedAt: isoTime(item.confirmedAt),
      discardedAt: isoTime(item.discardedAt),
    }
  })
}

/** The article of an item with its text. */
export function viewArticle({ fields }: StoredRecord): Fields {
  const { fetchedAt } = fields
  return { ...fields, fetchedAt: isoTime(typeof fetchedAt === 'number' ? fetchedAt : null) }
}

export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

/** While a job lives its row knows how far it is; afterwards the item does. */
function viewEnrichment(item: Item, job: JobRow | undefined): JsonValue {
  if (job === undefined) {
    const { attempts, outcome, errorCode, errorMessage, provider, model } = item
    return { attempts, outcome, errorCode, errorMessage, nextAttemptAt: null, provider, model }
  }
  const { attempts, reasonCode, reasonMessage, state, runAt } = job
  const reason = reasonCode === null ? { errorCode: null, errorMessage: null } : shownReason({ code: reasonCode, message: reasonMessage ?? '' })
  return { attempts, outcome: null, ...reason, nextAttemptAt: state === 'later' ? isoTime(runAt) : null, provider: null, model: null }
}

interface ArticleRow {
  readonly id: string
  readonly fetched_at: number | null
  readonly [column: string]: string | number | null
}

/** Articles without their text, which may be long. */
async function readArticleHeads(reader: Reader, { table, fields }: CompiledCollection, space: number, ids: readonly string[]): Promise<ReadonlyMap<string, JsonValue>> {
  const shown = fields.filter(({ name }) => name !== 'text')
  const sql = `SELECT id, ${shown.map(({ column }) => `"${column}"`).join(', ')} FROM "${table}" WHERE space = ? AND ${reader.dialect.inJsonArray('id')} AND deleted_at IS NULL`
  const rows = await reader.all<ArticleRow>(sql, [space, JSON.stringify(ids)])
  return new Map(rows.map((row) => [row.id, { ...Object.fromEntries(shown.map(({ name, column }) => [name, row[column] ?? null])), fetchedAt: isoTime(row.fetched_at) }]))
}
