import type { SpaceReader, StoredRecord } from 'holdfast'

/** Aliases that one id may lead through; merging keeps it at one. */
const HOPS_MAX = 16
/** Rows of one key that are looked at: the live one, and aliases and tombstones of the same name. */
const ROWS_MAX = 1_000

export function isAlias({ fields }: StoredRecord): boolean {
  return typeof fields['mergedInto'] === 'string'
}

/** The live tag that an id means: itself, or the one that it was merged into. Undefined when there is none. */
export async function findTag(reader: SpaceReader, id: string): Promise<StoredRecord | undefined> {
  let at = id
  for (let hop = 0; hop < HOPS_MAX; hop += 1) {
    const tag = await reader.get('tags', at)
    if (tag === undefined || tag.deletedAt !== null) return undefined
    const target = tag.fields['mergedInto']
    if (typeof target !== 'string') return tag
    at = target
  }
  return undefined
}

export interface TagsOfKey {
  /** The one live tag of this name. */
  readonly live: StoredRecord | undefined
  /** A live alias of this name. */
  readonly alias: StoredRecord | undefined
  /** A deleted tag of this name, to be brought back under its id. */
  readonly deleted: StoredRecord | undefined
}

/** What there is of a name; `except` is the tag that asks. */
export async function findTagsOfKey(reader: SpaceReader, nameKey: string, except?: string): Promise<TagsOfKey> {
  const rows = (await reader.find('tags', [{ field: 'nameKey', equals: nameKey }], ROWS_MAX)).filter(({ id }) => id !== except)
  return {
    live: rows.find((row) => row.deletedAt === null && !isAlias(row)),
    alias: rows.find((row) => row.deletedAt === null && isAlias(row)),
    deleted: rows.find((row) => row.deletedAt !== null),
  }
}
