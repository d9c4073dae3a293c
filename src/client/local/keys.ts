import type { ChangedRecord } from '../ports.ts'

/** Keys of a partition's rows. Collections and ids hold no slash, so that `/` parts them safely. */
export function recordKey(partition: string, collection: string, id: string): string {
  return `${partition}/${collection}/${id}`
}

const NUMBER_DIGITS = 16

/** A numbered row's key: as text in the order of the numbers. */
export function numberKey(partition: string, n: number): string {
  return `${partition}/${String(n).padStart(NUMBER_DIGITS, '0')}`
}

export function settingKey(partition: string, kind: 'numbers' | 'sync'): string {
  return `${partition}/${kind}`
}

/** All keys of a partition, or of one collection in it. */
export function keysOf(partition: string, collection?: string): { readonly after: string; readonly before: string } {
  const prefix = collection === undefined ? partition : `${partition}/${collection}`
  // `0` is the character after `/`.
  return { after: `${prefix}/`, before: `${prefix}0` }
}

/** Names a record within a partition. */
export function placeKey({ collection, id }: ChangedRecord): string {
  return `${collection}/${id}`
}

/** Each record once, as it comes last. */
export function lastOfEach<One extends ChangedRecord>(all: readonly One[]): One[] {
  return [...new Map(all.map((one) => [placeKey(one), one])).values()]
}

/** Collection and id of a record's key. */
export function placeOf(key: string): { readonly collection: string; readonly id: string } {
  const [, collection = '', id = ''] = key.split('/')
  return { collection, id }
}
