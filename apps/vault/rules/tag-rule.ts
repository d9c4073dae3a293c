import type { Fields, Rule, RuleContext, RuleMutation, SpaceReader } from 'holdfast'
import { tagKey } from '../tag-name.ts'
import { findTagsOfKey } from './find-tag.ts'
import { intentContext, intentOf } from './item-intent.ts'
import { readOnlyField } from './refusals.ts'

/** All items and aliases of a tag: one that was left out would carry a tag that is gone. */
const CARRIERS_MAX = 2 ** 31 - 1

/**
 * Tags: one live tag for each name. A pushed tag whose name is taken becomes an alias of the one that was there, a route is refused with
 * `TAG_EXISTS`. A tag that becomes an alias, or is deleted, leaves its items in the same commit.
 */
export const tagRule: Rule = async (context) => {
  if (context.operation === 'delete') return { kind: 'accept', also: [...(await leaveItems(context.reader, context.id, undefined)), ...(await dropAliases(context))] }
  const { id, stored, next, reader } = context
  const intent = intentOf(context)
  const isFresh = stored === undefined || stored.deletedAt !== null
  const before = isFresh ? {} : stored.fields
  const nameKey = tagKey(String(next['name']))
  const fields: Record<string, Fields[string]> = { nameKey, ...(isFresh ? { mergedInto: next['mergedInto'] ?? null } : {}) }
  if (intent === undefined) {
    const readOnly = changedServerField(context, before, nameKey)
    if (readOnly !== undefined) return readOnlyField(readOnly)
    fields['lastUsed'] = before['lastUsed'] ?? null
    fields['mergedInto'] = before['mergedInto'] ?? null
  }
  const target = { ...next, ...fields }['mergedInto'] ?? null
  if (target === null && nameKey !== before['nameKey']) {
    const { live } = await findTagsOfKey(reader, nameKey, id)
    if (live !== undefined && intent !== undefined) return { kind: 'refuse', code: 'TAG_EXISTS', message: 'There is a tag of this name.' }
    if (live !== undefined) fields['mergedInto'] = live.id
  }
  const mergedInto = { ...next, ...fields }['mergedInto'] ?? null
  const becomesAlias = typeof mergedInto === 'string' && mergedInto !== before['mergedInto'] && !isFresh
  return { kind: 'accept', fields, also: becomesAlias ? [...(await leaveItems(reader, id, mergedInto)), ...(await moveAliases(reader, id, mergedInto))] : [] }
}

/** A field that a device says something new about, though it is the server's; what nobody has set says nothing. */
function changedServerField({ sent }: RuleContext, before: Fields, nameKey: string): string | undefined {
  const says = (name: string, ...known: readonly Fields[string][]) => Object.hasOwn(sent, name) && ![before[name] ?? null, ...known].includes(sent[name] ?? null)
  if (says('nameKey', '', nameKey)) return 'nameKey'
  return ['lastUsed', 'mergedInto'].find((name) => says(name, null))
}

/** Takes a tag off every item, or puts another in its place. */
async function leaveItems(reader: SpaceReader, id: string, target: string | undefined): Promise<RuleMutation[]> {
  const items = await reader.find('items', [{ field: 'tagIds', includes: id }, { isDeleted: false }], CARRIERS_MAX)
  return items.map(({ id: item, fields }) => {
    const carried = (fields['tagIds'] ?? []) as readonly string[]
    const tagIds = target === undefined ? carried.filter((tag) => tag !== id) : [...new Set(carried.map((tag) => (tag === id ? target : tag)))]
    return { collection: 'items', id: item, op: 'patch', data: { tagIds }, context: intentContext({ by: 'tags' }) }
  })
}

function aliasesOf(reader: SpaceReader, id: string) {
  return reader.find('tags', [{ field: 'mergedInto', equals: id }, { isDeleted: false }], CARRIERS_MAX)
}

/** Aliases of a tag that becomes one itself lead to where it leads. */
async function moveAliases(reader: SpaceReader, id: string, target: string): Promise<RuleMutation[]> {
  return (await aliasesOf(reader, id)).map((alias) => ({ collection: 'tags', id: alias.id, op: 'patch', data: { mergedInto: target }, context: intentContext({ by: 'tags' }) }))
}

/** Aliases go with the tag that they lead to. */
async function dropAliases({ id, reader }: RuleContext): Promise<RuleMutation[]> {
  return (await aliasesOf(reader, id)).map((alias) => ({ collection: 'tags', id: alias.id, op: 'delete' }))
}
