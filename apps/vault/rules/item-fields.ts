import { sameJson, type Fields, type JsonValue, type RecordOf } from 'holdfast'
import { vault } from '../app.ts'
import { urlKeyOf } from '../url-key.ts'

export type Item = RecordOf<typeof vault, 'items'>

/** Fields that only the server sets, apart from `status`, which a device moves along the table. */
export const serverFields = [
  'sourceType',
  'suggestedTags',
  'outcome',
  'attempts',
  'errorCode',
  'errorMessage',
  'provider',
  'model',
  'proposal',
  'confirmedAt',
  'discardedAt',
  'discardedFrom',
  'duplicateOf',
  'urlKey',
] as const satisfies readonly (keyof Item)[]

/** Fields that a capture sets and nothing changes afterwards. */
export const captureFields = ['url', 'capturedAt', 'enrichmentMode'] as const satisfies readonly (keyof Item)[]

/** Fields that people write at any time. */
export const contentFields = ['rawText', 'title', 'summary', 'tagIds'] as const satisfies readonly (keyof Item)[]

/** What a field says that nobody has set: a device sends it along with a whole record, and means nothing by it. */
export const blankItem: Item = vault.collections.items.schema.parse({})

/** An item as the collection's schema has checked it. */
export function itemOf(fields: Fields): Item {
  return fields as unknown as Item
}

export function fieldsOf(item: Partial<Item>): Fields {
  return item as unknown as Fields
}

export function sameField(one: unknown, other: unknown): boolean {
  return sameJson(one as JsonValue, other as JsonValue)
}

/** The key of the page that an item is about: its address, or a text that is nothing but one. */
export function itemUrlKey({ url, rawText }: Pick<Item, 'url' | 'rawText'>): string | null {
  return urlKeyOf(url ?? rawText)
}

/** An item that is shown to be confirmed, or kept, is called by its first line where it has no other title. */
export function needsTitle(status: Item['status']): boolean {
  return status === 'READY_TO_CONFIRM' || status === 'ARCHIVED'
}
