import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Scope } from 'holdfast'
import { getRecords, type HttpServer } from 'holdfast/server'
import { ImportUnreadable, type ImportEntry } from '../import/import-entry.ts'
import { inPieces } from '../import/in-pieces.ts'
import { parseLines } from '../import/parse-lines.ts'
import { itemOf } from '../rules/item-fields.ts'
import { about } from './about-route.ts'
import { findKnown, keyOf } from './find-known.ts'
import { planEntries, type Planned } from './plan-import.ts'
import type { Capture } from './read-capture.ts'
import { readParameter } from './read-request.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { invalidField, VaultError } from './vault-error.ts'
import { captureRefusal } from './write-item.ts'

const FILE_BYTES_MAX = 10_485_760
/** Captures of one commit: others of the space wait for it. */
const CAPTURES_PER_COMMIT = 200

const parsers: Readonly<Record<string, (text: string) => Promise<ImportEntry[]>>> = {
  'text/plain': parseLines,
  'text/html': async (text: string) => (await import('../import/parse-bookmarks.ts')).parseBookmarks(text),
  'text/csv': async (text: string) => (await import('../import/parse-csv.ts')).parseCsv(text),
}

/** Captures from a file. */
export async function registerImportRoute(server: HttpServer, vault: VaultContext): Promise<void> {
  await server.register(async (scope) => {
    scope.addContentTypeParser(Object.keys(parsers), { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post('/items/import', { ...about('Capture what a file of lines, bookmarks or rows holds'), bodyLimit: FILE_BYTES_MAX }, (request, reply) => importFile(vault, request, reply))
  })
}

async function importFile(vault: VaultContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const scope = await scopeOf(vault, request)
  const enrich = readParameter(request, 'enrich') ?? 'true'
  if (enrich !== 'true' && enrich !== 'false') throw invalidField('enrich', 'This is true or false.')
  const entries = await readEntries(request)
  const planned = await planEntries(vault, entries, { enrich: enrich === 'true' })
  const known = await vault.http.database.read((reader) => findKnown(reader, vault.collections.items, scope.space, planned.flatMap(({ key }) => key ?? []))) // prettier-ignore
  const rows = await captureAll(vault, { scope, requestId: request.id }, planned, known)
  const count = (status: Row['status']) => rows.filter((row) => row.status === status).length
  return reply.send({ created: count('created'), duplicates: count('duplicate'), failed: count('failed'), rows })
}

async function readEntries({ headers, body }: FastifyRequest): Promise<ImportEntry[]> {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const parse = Object.hasOwn(parsers, type) ? parsers[type] : undefined
  if (parse === undefined) throw new VaultError('UNSUPPORTED_MEDIA_TYPE', { message: `Send ${Object.keys(parsers).join(', ')}.` })
  if (!Buffer.isBuffer(body)) return []
  if (!isUtf8(body)) throw new VaultError('INVALID_REQUEST', { message: 'The file is not UTF-8.' })
  try {
    return await parse(body.toString('utf8').replace(/^\uFEFF/, ''))
  } catch (error) {
    if (error instanceof ImportUnreadable) throw invalidField('body', error.message)
    throw error
  }
}

interface Row {
  readonly line: number
  readonly status: 'created' | 'duplicate' | 'failed'
  readonly id: string | null
  readonly error: ReturnType<VaultError['view']> | null
}

interface Importing {
  readonly scope: Scope
  readonly requestId: string
}

/** Captures what is not known yet, some at a time. What the file has twice is a duplicate of itself. */
async function captureAll(vault: VaultContext, importing: Importing, planned: readonly Planned[], known: ReadonlyMap<string, string>): Promise<Row[]> {
  const byKey = new Map(known)
  const rows: Row[] = []
  for await (const some of inPieces(planned, CAPTURES_PER_COMMIT)) {
    for (const row of await captureSome(vault, importing, some, byKey)) rows.push(row)
  }
  return rows
}

/** One commit. `byKey` has the items that there are, and gets the new ones. */
async function captureSome(vault: VaultContext, { scope, requestId }: Importing, planned: readonly Planned[], byKey: Map<string, string>): Promise<Row[]> {
  const fresh = new Map<string, Capture>()
  for (const { capture, key } of planned) {
    if (!(capture instanceof VaultError) && key !== undefined && !byKey.has(key.key) && !fresh.has(key.key)) fresh.set(key.key, capture)
  }
  const ids = await idsOf(vault, scope, [...fresh.keys()])
  const keys = [...fresh.keys()]
  const mutations = keys.flatMap((key) => {
    const [capture, id] = [fresh.get(key), ids.get(key)]
    return capture === undefined || id === undefined ? [] : [{ ...capture.mutation, id }]
  })
  const { outcomes } = await vault.http.commit(scope, { mutations, keepRejected: false, keepConflicts: false })
  const failures = new Map<string, VaultError>()
  const created = new Set<string>()
  for (const [index, key] of keys.entries()) {
    const [outcome, id] = [outcomes[index], ids.get(key)]
    if (outcome === undefined || id === undefined) throw new Error('A capture was lost.')
    const error = captureRefusal(outcome, id)
    // Another import was quicker: its item is the one.
    if (error !== undefined && error.code !== 'DUPLICATE_REQUEST') failures.set(key, error)
    else byKey.set(key, id)
    if (outcome.status === 'applied') created.add(key)
  }
  return planned.map(({ line, capture, key }): Row => {
    if (capture instanceof VaultError || key === undefined) return { line, status: 'failed', id: null, error: capture instanceof VaultError ? capture.view(requestId) : null }
    const failure = failures.get(key.key)
    if (failure !== undefined) return { line, status: 'failed', id: null, error: failure.view(requestId) }
    const isCreated = created.delete(key.key)
    return { line, status: isCreated ? 'created' : 'duplicate', id: byKey.get(key.key) ?? null, error: null }
  })
}

/** Ids that follow from what is captured, so that two imports of one file at once make it once; another one where the item of the id is gone or has become something else. */
async function idsOf(vault: VaultContext, { space }: Scope, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const ids = new Map(keys.map((key) => [key, `import-${hash('sha256', key, 'base64url')}`]))
  const there = await vault.http.database.read((reader) => getRecords(reader, vault.collections.items, space, [...ids.values()]))
  const byId = new Map(there.map((record) => [record.id, record]))
  const isFree = (key: string, id: string) => {
    const record = byId.get(id)
    if (record === undefined) return true
    const { rawText, urlKey, status } = itemOf(record.fields)
    // Another import has made it since this one looked.
    return record.deletedAt === null && status !== 'DISCARDED' && keyOf({ text: rawText, urlKey }).key === key
  }
  return new Map([...ids].map(([key, id]) => [key, isFree(key, id) ? id : vault.http.chance.id()]))
}
