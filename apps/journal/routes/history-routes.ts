import type { FastifyReply, FastifyRequest } from 'fastify'
import { sameJson, type Fields, type StoredRecord } from 'holdfast'
import { listTombstones, type HttpServer, type WriteContract } from 'holdfast/server'
import { editable, type Editable } from '../app.ts'
import { scopeOf } from './check-access.ts'
import { invalidField, invalidParameter, notFound } from './dialect-error.ts'
import { itemOf, type Item } from './feed-items.ts'
import { positionOf, readHistory, stateToRestore, type HistoryState } from './history.ts'
import { itemContextOf } from './item-context.ts'
import type { JournalContext } from './journal-context.ts'
import { readLimit, readNumber, readParameter } from './read-query.ts'
import { readBody, readDeviceId } from './read-write.ts'
import { writeOne } from './write-one.ts'
import { about, readPathId } from './write-routes.ts'

const PAGE_DEFAULT = 50
const PAGE_MAX = 200
const PREVIEW_CHARS_MAX = 160

/** Earlier states of a record, bringing one back, and what lies in the trash. */
export function registerHistoryRoutes(server: HttpServer, journal: JournalContext): void {
  for (const name of editable) {
    server.get(`/sync/${name}/:id/history`, about(`States of one record of ${name}`), (request, reply) => answerHistory(journal, request, reply, name))
    server.post(`/sync/${name}/:id/restore`, about(`Bring back a state of one record of ${name}`), (request, reply) => restore(journal, request, reply, name))
  }
  server.get('/sync/trash', about('What was deleted and can still be restored'), (request, reply) => answerTrash(journal, request, reply))
}

async function answerHistory(journal: JournalContext, request: FastifyRequest, reply: FastifyReply, name: Editable): Promise<FastifyReply> {
  const { space } = await scopeOf(journal.http, request)
  const place = { collection: journal.collections[name], space, id: readPathId(request) }
  const limit = readLimit(request, { byDefault: PAGE_DEFAULT, max: PAGE_MAX })
  const historyId = readParameter(request, 'before')
  const page = await journal.http.database.read(async (reader) => {
    const before = historyId === undefined ? undefined : await positionOf(reader, place, historyId)
    if (historyId !== undefined && before === undefined) throw invalidParameter('before', 'The record has no such state.')
    const { states, more } = await readHistory(reader, place, { before, limit })
    const items = await itemContextOf(
      reader,
      journal,
      { collection: name, space },
      states.slice(0, 1).flatMap(({ record }) => record ?? []),
    )
    return { states, more, items }
  })
  const { states, more, items } = page
  if (states.length === 0 && historyId === undefined) throw notFound('There is no such record.')
  const versions = states.map((state) => shownState(state, state.record === undefined ? null : itemOf(name, state.record, items)))
  return reply.send({ id: place.id, versions, hasMore: more })
}

function shownState({ historyId, version, op, at, deviceId }: HistoryState, record: Item | null): Item {
  return { historyId, serverVersion: version, applied: version !== null, op, at, deviceId, record }
}

async function restore(journal: JournalContext, request: FastifyRequest, reply: FastifyReply, name: Editable): Promise<FastifyReply> {
  const scope = await scopeOf(journal.http, request)
  const id = readPathId(request)
  const body = readBody(request)
  const historyId = body['historyId'] ?? undefined
  if (historyId !== undefined && typeof historyId !== 'string') throw invalidField('historyId', 'This is a text of the history.')
  const lastUpdated = readLastUpdated(journal, name, body['lastUpdated'] ?? undefined)
  const chosen = await journal.http.database.read((reader) => stateToRestore(reader, { collection: journal.collections[name], space: scope.space, id }, historyId))
  if (chosen === undefined) throw notFound('There is no such state to go back to.')
  const sent: Fields = { ...chosen, lastUpdated: lastUpdated ?? journal.http.chance.now(), deviceId: readDeviceId(request, body, scope) }
  const contract = takesState({ ignoresTime: lastUpdated === undefined })
  return writeOne(journal, request, reply, { collection: name, id, op: 'put', base: 'any', contract, fields: { sent, complete: sent }, answer: { time: 'updatedAt' } })
}

function readLastUpdated({ collections }: JournalContext, name: Editable, value: unknown): number | undefined {
  if (value === undefined) return undefined
  const read = collections[name].partialSchema.safeParse({ lastUpdated: value })
  if (!read.success) throw invalidField('lastUpdated', 'This is a time in epoch milliseconds.')
  return Number(read.data['lastUpdated'])
}

/** Takes the chosen state as the record's new one, unless it is that already. */
function takesState({ ignoresTime }: { readonly ignoresTime: boolean }): WriteContract {
  return ({ stored, mutation }) => {
    if (stored === undefined || stored.deletedAt !== null) return 'write'
    const same = Object.entries(mutation.sent).every(
      ([name, value]) => name === 'deviceId' || name === 'writtenAt' || (name === 'lastUpdated' && ignoresTime) || sameJson(value, stored.fields[name] ?? null),
    )
    return same ? 'unchanged' : 'write'
  }
}

async function answerTrash(journal: JournalContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { space } = await scopeOf(journal.http, request)
  const limit = readLimit(request, { byDefault: PAGE_DEFAULT, max: PAGE_MAX })
  const before = readNumber(request, 'before')
  const { found, more } = await journal.http.database.read(async (reader) => {
    const tombstones: { readonly name: Editable; readonly record: StoredRecord }[] = []
    // Where a collection goes on behind its page, older ones of the others have to wait.
    let from = 0
    for (const name of editable) {
      const page = await listTombstones(reader, journal.collections[name], { space, before, limit })
      for (const record of page.rows) tombstones.push({ name, record })
      if (page.more) from = Math.max(from, page.rows.at(-1)?.version ?? 0)
    }
    const whole = tombstones.filter(({ record }) => record.version >= from).toSorted((one, other) => other.record.version - one.record.version)
    return { found: whole.slice(0, limit), more: from > 0 || whole.length > limit }
  })
  const items = found.map(({ name, record: { id, fields, deletedAt, version: serverVersion } }) => {
    const purgeAfter = (deletedAt ?? 0) + journal.settings.tombstoneRetentionMs
    return { entityType: name, id, preview: previewOf(name, fields), deletedAt, purgeAfter, serverVersion }
  })
  return reply.send({ items, hasMore: more })
}

/** The beginning of a title or text, cut between characters. */
function previewOf(name: Editable, fields: Fields): string {
  const text = String((name === 'journals' ? fields['title'] : (fields['content'] ?? fields['caption'])) ?? '')
  const cut = text.slice(0, PREVIEW_CHARS_MAX)
  return cut.isWellFormed() ? cut : cut.slice(0, -1)
}
