import type { SpaceReader } from 'holdfast'
import type { KnownTag } from '../providers/provider.ts'

/** Tags that are looked through for those used last, and those that a provider is told, at most. */
const TAGS_MAX = 5_000
const KNOWN_MAX = 1_000

/** The tags of a space, the one used last first. */
export async function findKnownTags(records: SpaceReader): Promise<KnownTag[]> {
  const found = await records.find('tags', [{ field: 'mergedInto', equals: null }, { isDeleted: false }], TAGS_MAX)
  const lastUsed = (value: unknown) => (typeof value === 'number' ? value : 0)
  return found
    .toSorted((one, other) => lastUsed(other.fields['lastUsed']) - lastUsed(one.fields['lastUsed']) || other.createdAt - one.createdAt)
    .slice(0, KNOWN_MAX)
    .map(({ id, fields }) => ({ id, name: String(fields['name']) }))
}
