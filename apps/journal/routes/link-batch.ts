import type { FastifyRequest } from 'fastify'
import type { Scope } from 'holdfast'
import { readData, type Mutation, type Outcome, type WriteContract } from 'holdfast/server'
import { linkId } from '../link-id.ts'
import { isObject } from './check-access.ts'
import { DialectError, invalidField, tooLarge } from './dialect-error.ts'
import type { Item } from './feed-items.ts'
import type { JournalContext } from './journal-context.ts'
import { invalidRecord, readDeviceId, readId, type Body } from './read-write.ts'

export type LinkWrite = 'link' | 'unlink'

/** One item of a batch as a mutation, with the ids that its result repeats. */
export interface LinkItem {
  readonly journalId: string
  readonly contentId: string
  readonly mutation: Mutation
}

export interface Reading {
  readonly journal: JournalContext
  readonly request: FastifyRequest
  readonly scope: Scope
  readonly kind: LinkWrite
}

/** Reads a whole batch before anything is written: one invalid item refuses it all, by its place. */
export function readBatch(reading: Reading, body: Body): LinkItem[] {
  const { batchMax } = reading.journal.settings
  const items = body['associations']
  if (!Array.isArray(items)) throw invalidField('associations', 'This is a list.')
  if (items.length > batchMax) throw tooLarge(batchMax, `At most ${batchMax} links in one call.`)
  return items.map((item: unknown, index) => {
    if (!isObject(item)) throw invalidField(`associations[${index}]`, 'This is an object.', { index: String(index) })
    return atIndex(index, () => readItem(reading, item))
  })
}

function atIndex<Value>(index: number, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof DialectError)) throw error
    throw invalidField(`associations[${index}].${error.options.details?.['field'] ?? 'body'}`, error.message, { index: String(index) })
  }
}

/** Reads one item; its ids may come from the path of an alias. */
export function readItem({ journal, request, scope, kind }: Reading, item: Body): LinkItem {
  const journalId = readId(item['journalId'], 'journalId')
  const contentId = readId(item['contentId'], 'contentId')
  const head = { collection: 'associations', id: linkId(journalId, contentId), base: 'any' } as const
  if (kind === 'unlink') {
    const removedAt = readTime(item['deletedAt'] ?? undefined)
    // What was never linked has no time of writing and no device: the tombstone that it leaves says when it was refused.
    const sent = { journalId, contentId, writtenAt: removedAt ?? journal.http.chance.now(), deviceId: '' }
    return { journalId, contentId, mutation: { ...head, op: 'delete', sent, contract: unlink, context: { removedAt: removedAt ?? null } } }
  }
  if (item['createdAt'] === undefined) throw invalidField('createdAt', 'This is required.')
  const deviceId = readDeviceId(request, item, scope)
  const read = readData(journal.collections.associations, 'put', { journalId, contentId, writtenAt: item['createdAt'] as number, deviceId })
  if (read.kind === 'invalid') throw invalidRecord(read.fields)
  return { journalId, contentId, mutation: { ...head, op: 'put', ...read.value } }
}

/** What was removed with its note or journal is from now on removed by the person, and does not come back with them. */
const unlink: WriteContract = ({ stored }) => (stored !== undefined && stored.deletedAt !== null && stored.fields['removedBy'] !== 'cascade' ? 'unchanged' : 'write')

const YEAR_1_MS = -62_135_596_800_000
const YEAR_9999_MS = 253_402_300_799_999

function readTime(value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < YEAR_1_MS || value > YEAR_9999_MS) throw invalidField('deletedAt', 'This is a time in epoch milliseconds.')
  return value
}

/** Rules that make an item do nothing without being wrong. */
const skips: Readonly<Record<string, string>> = { 'link.deleted': 'deleted', 'link.replay': 'replay', 'link.stale': 'stale' }

export interface LinkResult {
  readonly shown: Item
  readonly live: boolean
}

/** What became of an item. Throws for a refusal that is not the item's: a role that may not write. */
export function resultOf({ journalId, contentId }: LinkItem, outcome: Outcome | undefined): LinkResult {
  const record = outcome?.record
  const live = record !== undefined && record.deletedAt === null
  const shown = { journalId, contentId, serverVersion: record?.version ?? null }
  if (outcome === undefined || outcome.status === 'conflict') throw new Error('A link met a conflict.')
  if (outcome.status !== 'rejected') return { shown: { ...shown, status: outcome.status === 'unchanged' ? 'unchanged' : 'applied', reason: null }, live }
  const reason = skips[outcome.error.code]
  if (reason !== undefined) return { shown: { ...shown, status: 'skipped', reason }, live }
  if (outcome.error.code === 'access.forbidden') throw new DialectError('FORBIDDEN', { message: outcome.error.message })
  throw invalidRecord(outcome.error.fields ?? [])
}
