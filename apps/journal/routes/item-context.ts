import type { StoredRecord } from 'holdfast'
import { findRecordsIn, type Reader } from 'holdfast/server'
import type { JournalContext } from './journal-context.ts'
import type { ItemContext } from './feed-items.ts'

/** What showing these records needs besides them: the live files of notes, in one indexed read. */
export async function itemContextOf(
  reader: Reader,
  { collections, http }: JournalContext,
  place: { readonly collection: string; readonly space: number },
  records: readonly StoredRecord[],
): Promise<ItemContext> {
  const { publicUrl } = http.settings
  const mediaByContent = new Map<string, StoredRecord[]>()
  if (place.collection !== 'content' || records.length === 0) return { publicUrl, mediaByContent }
  const files = await findRecordsIn(reader, collections.media, { space: place.space, field: 'contentId', values: records.map(({ id }) => id) })
  for (const file of files) {
    if (file.deletedAt !== null) continue
    const contentId = String(file.fields['contentId'])
    const known = mediaByContent.get(contentId)
    if (known === undefined) mediaByContent.set(contentId, [file])
    else known.push(file)
  }
  return { publicUrl, mediaByContent }
}
