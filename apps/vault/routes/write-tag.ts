import type { JsonValue, Scope, StoredRecord } from 'holdfast'
import { findRecords, getRecord, readData, type Mutation, type Outcome, type WriteContract } from 'holdfast/server'
import { isAlias } from '../rules/find-tag.ts'
import { intentContext } from '../rules/item-intent.ts'
import { readTagName, tagKey } from '../tag-name.ts'
import { readFields, readIds, wireFields, type Problems } from './read-fields.ts'
import type { Body } from './read-request.ts'
import type { VaultContext } from './vault-context.ts'
import { invalidFields, notFound, VaultError } from './vault-error.ts'
import { acceptedRecord } from './write-item.ts'

const SOURCES_MAX = 50
/** Looks once more when a tag of the name has come or gone in between. */
const TRIES_MAX = 5
/** Rows of one name that are looked at: the live one, aliases and tombstones. */
const ROWS_MAX = 1_000

const asUser = intentContext({ by: 'user' })

export type TagFields = Readonly<Record<string, JsonValue>>

/** Reads name and color of a body. Throws `VALIDATION_ERROR` for what is wrong. */
export function readTagFields({ collections }: Pick<VaultContext, 'collections'>, body: Body, kind: 'create' | 'change'): TagFields {
  const problems: Problems = []
  const { name, color = null } = readFields(body, ['name', 'color'])
  const fields: Record<string, JsonValue> = color === null ? {} : { color }
  if (kind === 'create' || name !== undefined) {
    const read = typeof name === 'string' ? readTagName(name) : undefined
    if (read === undefined) problems.push({ field: 'name', message: 'A tag has a name of 1 to 50 characters.' })
    else fields['name'] = read.name
  }
  const read = readData(collections.tags, 'patch', fields)
  if (read.kind === 'invalid') problems.push(...wireFields(read.fields))
  if (problems.length > 0 || read.kind === 'invalid') throw invalidFields(problems)
  return read.value.sent
}

/** Makes the tag of a name, brings a deleted one back under its id, or finds the one that is there. One name makes one tag, however many ask at once. */
export async function makeTag(vault: VaultContext, scope: Scope, fields: TagFields): Promise<{ readonly tag: StoredRecord; readonly made: boolean }> {
  const read = readData(vault.collections.tags, 'put', { color: 'gray', ...fields, lastUsed: null, mergedInto: null })
  if (read.kind === 'invalid') throw invalidFields(wireFields(read.fields))
  const contract: WriteContract = ({ stored }) => (stored === undefined || stored.deletedAt !== null ? 'write' : 'stale')
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const { live, deleted } = await findNamed(vault, scope, tagKey(String(fields['name'])))
    if (live !== undefined) return { tag: live, made: false }
    const outcome = await commitTag(vault, scope, { collection: 'tags', id: deleted?.id ?? vault.http.chance.id(), op: 'put', base: 'any', ...read.value, contract, context: asUser })
    if (outcome.status !== 'conflict' && !isTaken(outcome)) return { tag: acceptedRecord(outcome, undefined), made: true }
  }
  throw new VaultError('UNAVAILABLE', { message: 'The tag comes and goes. Try again.' })
}

/** Gives a tag another name or color. Throws `TAG_EXISTS` where the name is another's. */
export async function changeTag(vault: VaultContext, scope: Scope, id: string, fields: TagFields): Promise<StoredRecord> {
  const outcome = await commitTag(vault, scope, { collection: 'tags', id, op: 'patch', base: 'any', sent: fields, contract: onLiveTag, context: asUser })
  if (!isTaken(outcome)) return acceptedRecord(outcome, undefined)
  const { live } = await findNamed(vault, scope, tagKey(String(fields['name'])))
  throw new VaultError('TAG_EXISTS', { message: 'There is a tag of this name.', details: { tagName: live?.fields['name'] ?? fields['name'] ?? null, tagId: live?.id ?? null } })
}

/** Deletes a tag and takes it off its items, in one commit. Done again it changes nothing. */
export async function deleteTag(vault: VaultContext, scope: Scope, id: string): Promise<void> {
  const contract: WriteContract = ({ stored }) => (stored === undefined ? 'missing' : stored.deletedAt === null ? 'write' : 'unchanged')
  acceptedRecord(await commitTag(vault, scope, { collection: 'tags', id, op: 'delete', base: 'any', sent: {}, contract, context: asUser }), undefined)
}

export interface Merge {
  readonly sources: readonly string[]
  readonly target: string
}

export function readMerge(body: Body): Merge {
  const problems: Problems = []
  const sources = readIds('sourceTagIds', body['sourceTagIds'], problems)
  const [target = ''] = readIds('targetTagId', [body['targetTagId']], problems)
  if (problems.length === 0 && (sources.length === 0 || sources.length > SOURCES_MAX)) problems.push({ field: 'sourceTagIds', message: `Give 1 to ${SOURCES_MAX} tags.` })
  if (problems.length === 0 && sources.includes(target)) problems.push({ field: 'sourceTagIds', message: 'A tag is not merged into itself.' })
  if (problems.length > 0) throw invalidFields(problems)
  return { sources, target }
}

/** Makes aliases of the sources, all or none; their items carry the target. */
export async function mergeTags(vault: VaultContext, scope: Scope, { sources, target }: Merge): Promise<StoredRecord> {
  // The target is named as well, so that it cannot go or become an alias in between.
  const kept: Mutation = { collection: 'tags', id: target, op: 'patch', base: 'any', sent: {}, contract: onLiveTag, context: asUser }
  const merged = sources.map((id): Mutation => ({ collection: 'tags', id, op: 'patch', base: 'any', sent: { mergedInto: target }, contract: onLiveTag, context: asUser }))
  const { outcomes } = await vault.http.commit(scope, { mutations: [kept, ...merged], atomic: true, keepRejected: false, keepConflicts: false })
  const unknown = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.error.code === 'record.not_found')
  const problems: Problems = []
  if (unknown[0] === true) problems.push({ field: 'targetTagId', message: 'There is no such tag.' })
  if (unknown.slice(1).includes(true)) problems.push({ field: 'sourceTagIds', message: 'There is no such tag.' })
  if (problems.length > 0) throw invalidFields(problems)
  for (const outcome of outcomes) acceptedRecord(outcome, undefined)
  const record = await vault.http.database.read((reader) => getRecord(reader, vault.collections.tags, scope.space, target))
  if (record === undefined) throw notFound()
  return record
}

/** Acts on a live tag that is no alias: the others are not shown either. */
const onLiveTag: WriteContract = ({ stored }) => (stored === undefined || stored.deletedAt !== null || isAlias(stored) ? 'missing' : 'write')

function isTaken(outcome: Outcome): boolean {
  return outcome.status === 'rejected' && outcome.error.code === 'TAG_EXISTS'
}

async function commitTag(vault: VaultContext, scope: Scope, mutation: Mutation): Promise<Outcome> {
  const { outcomes } = await vault.http.commit(scope, { mutations: [mutation], atomic: true, keepRejected: false, keepConflicts: false })
  const [outcome] = outcomes
  if (outcome === undefined) throw new Error('A write was lost.')
  return outcome
}

async function findNamed(vault: VaultContext, { space }: Scope, nameKey: string): Promise<{ readonly live: StoredRecord | undefined; readonly deleted: StoredRecord | undefined }> {
  const filters = [{ field: 'nameKey', equals: nameKey }]
  const rows = await vault.http.database.read((reader) => findRecords(reader, vault.collections.tags, { space, filters, limit: ROWS_MAX }))
  return { live: rows.find((row) => row.deletedAt === null && !isAlias(row)), deleted: rows.find((row) => row.deletedAt !== null) }
}
