import type { RuleContext, RuleOutcome, SpaceReader } from 'holdfast'
import { firstLineTitle } from '../first-line.ts'
import type { VaultSettings } from '../settings.ts'
import { chooseTags } from './choose-tags.ts'
import { enrichJob } from './enrich-job.ts'
import { blankItem, fieldsOf, itemOf, itemUrlKey, sameField, serverFields, type Item } from './item-fields.ts'
import { intentOf } from './item-intent.ts'
import { invalidData, readOnlyField } from './refusals.ts'

/** Items of one page that are looked at for the first one. */
const SAME_PAGE_MAX = 1_000

/** A new item: it waits for the AI, or is in the library at once. Whoever made it, it has what the server gives it and nothing else. */
export async function captureItem(context: RuleContext, settings: Pick<VaultSettings, 'ai'>): Promise<RuleOutcome> {
  const { id, next, sent, now, reader } = context
  const intent = intentOf(context)
  const asked = itemOf(next)
  const rawText = asked.rawText === '' ? (asked.url ?? '') : asked.rawText
  if (rawText === '') return invalidData('rawText', 'An item has a text or an address.')
  const isManual = asked.enrichmentMode === 'MANUAL' || settings.ai === 'off' || !(await wantsSuggestions(reader))
  const user = intent?.by === 'user' ? intent : undefined
  const tags = await chooseTags(reader, { carried: [], ids: asked.tagIds, names: user?.tagNames, strict: user !== undefined, newIds: user?.newTagIds ?? [], now })
  if (tags.kind === 'refuse') return tags
  const urlKey = itemUrlKey({ url: asked.url, rawText })
  const item: Item = {
    ...blankItem,
    rawText,
    url: asked.url,
    title: asked.title ?? (isManual ? firstLineTitle(rawText) : null),
    summary: asked.summary,
    tagIds: [...tags.tagIds],
    capturedAt: Math.min(asked.capturedAt ?? now, now),
    urlKey,
    duplicateOf: urlKey === null ? null : await firstOfPage(reader, urlKey, id),
    ...(isManual ? { enrichmentMode: 'MANUAL', status: 'ARCHIVED', sourceType: 'NOTE', confirmedAt: now } : {}),
  }
  for (const name of ['status', ...serverFields] as const) {
    if (Object.hasOwn(sent, name) && !sameField(sent[name], item[name]) && !sameField(sent[name], blankItem[name])) return readOnlyField(name)
  }
  return { kind: 'accept', fields: fieldsOf(item), also: tags.also, jobs: isManual ? [] : [enrichJob(id)] }
}

/** False once the person has switched suggestions off: then none of their texts goes to any provider. */
async function wantsSuggestions(reader: SpaceReader): Promise<boolean> {
  const own = await reader.get('settings', 'me')
  return own === undefined || own.deletedAt !== null || own.fields['aiSuggestionsEnabled'] !== false
}

/** The oldest item of the same page that is neither deleted nor discarded. */
async function firstOfPage(reader: SpaceReader, urlKey: string, except: string): Promise<string | null> {
  const same = await reader.find('items', [{ field: 'urlKey', equals: urlKey }, { isDeleted: false }], SAME_PAGE_MAX)
  const live = same.filter(({ id, fields }) => id !== except && fields['status'] !== 'DISCARDED')
  return live.toSorted((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1))[0]?.id ?? null
}
