import type { RuleMutation, RuleOutcome, SpaceReader } from 'holdfast'
import { vaultLimits } from '../limits.ts'
import { readTagName } from '../tag-name.ts'
import { findTag, findTagsOfKey } from './find-tag.ts'
import { intentContext } from './item-intent.ts'
import { invalidData } from './refusals.ts'

type Refusal = Extract<RuleOutcome, { readonly kind: 'refuse' }>

/** What tags an item is to carry, in the order in which they are joined. */
export interface TagWish {
  /** Tags that the item carries now: they are known to be live. */
  readonly carried: readonly string[]
  /** Ids to carry, or names in their place. */
  readonly ids: readonly string[]
  readonly names?: readonly string[] | undefined
  /** Suggestions that were accepted. */
  readonly suggested?: readonly { readonly name: string; readonly tagId?: string | undefined }[]
  readonly added?: readonly string[]
  readonly removed?: readonly string[]
  /** Refuses what is unknown; else it is left out, as a device cannot know what others have deleted. */
  readonly strict: boolean
  readonly newIds: readonly string[]
  readonly now: number
}

export interface ChosenTags {
  readonly kind: 'chosen'
  readonly tagIds: readonly string[]
  /** The tag of each accepted suggestion. */
  readonly suggestedIds: readonly string[]
  /** Tags to make, to bring back and to note the use of. */
  readonly also: readonly RuleMutation[]
}

/** The tags that an item carries afterwards. Aliases become what they were merged into; names become tags where there is none yet. */
export async function chooseTags(reader: SpaceReader, wish: TagWish): Promise<ChosenTags | Refusal> {
  const { carried, ids, names, suggested = [], added = [], removed = [], strict, newIds, now } = wish
  const made = new Map<string, { readonly id: string; readonly name: string }>()
  const byId = async (id: string) => (carried.includes(id) ? id : (await findTag(reader, id))?.id)
  const byName = async (text: string) => {
    const tag = readTagName(text)
    if (tag === undefined) return undefined
    const { live, alias, deleted } = await findTagsOfKey(reader, tag.nameKey)
    const there = live?.id ?? made.get(tag.nameKey)?.id ?? (alias === undefined ? undefined : (await findTag(reader, alias.id))?.id)
    if (there !== undefined) return there
    const id = deleted?.id ?? newIds[made.size]
    if (id === undefined) throw new Error('A route gave too few ids for new tags.')
    made.set(tag.nameKey, { id, name: tag.name })
    return id
  }
  const chosen = new Set<string>()
  for (const id of names === undefined ? ids : []) {
    const found = await byId(id)
    if (found !== undefined) chosen.add(found)
    else if (strict) return invalidData('tagIds', 'There is no such tag.')
  }
  for (const name of names ?? []) {
    const found = await byName(name)
    if (found === undefined) return invalidData('tags', `A tag's name has 1 to ${vaultLimits.TAG_CHARS_MAX} characters.`)
    chosen.add(found)
  }
  const suggestedIds: string[] = []
  for (const { name, tagId } of suggested) {
    const found = (tagId === undefined ? undefined : await byId(tagId)) ?? (await byName(name))
    if (found === undefined) return invalidData('acceptedSuggestionIds', 'The suggestion cannot be a tag.')
    suggestedIds.push(found)
    chosen.add(found)
  }
  for (const id of added) {
    const found = await byId(id)
    if (found === undefined) return invalidData('addedTagIds', 'There is no such tag.')
    chosen.add(found)
  }
  for (const id of removed) {
    const found = await byId(id)
    if (found === undefined) return invalidData('removedTagIds', 'There is no such tag.')
    chosen.delete(found)
  }
  if (chosen.size > vaultLimits.TAGS_MAX) return invalidData('tagIds', `An item carries at most ${vaultLimits.TAGS_MAX} tags.`)
  const tagIds = [...chosen]
  const also = [...made.values()].map(
    ({ id, name }): RuleMutation => ({ collection: 'tags', id, op: 'put', data: { name, lastUsed: chosen.has(id) ? now : null, mergedInto: null }, context: intentContext({ by: 'item' }) }),
  )
  const fresh = new Set([...made.values()].map(({ id }) => id))
  for (const id of tagIds) {
    if (carried.includes(id) || fresh.has(id)) continue
    also.push({ collection: 'tags', id, op: 'patch', data: { lastUsed: now }, context: intentContext({ by: 'item' }) })
  }
  return { kind: 'chosen', tagIds, suggestedIds, also }
}
