import type { FastifyRequest } from 'fastify'
import type { Scope } from 'holdfast'
import { getRecord, isLostVersion, readHorizons, readSpaceState, scanRecords } from 'holdfast/server'
import { scopeOf } from './check-access.ts'
import { DialectError } from './dialect-error.ts'
import { deletionOf, itemOf, type Item } from './feed-items.ts'
import { itemContextOf } from './item-context.ts'
import type { CollectionName, JournalContext } from './journal-context.ts'
import { readLimit, readNumber, readParameter } from './read-query.ts'

const PAGE_DEFAULT = 200
const PAGE_MAX = 500

/** One page of a collection's feed: a single scan by version, split into live rows and tombstones only here. */
export async function readFeed(journal: JournalContext, request: FastifyRequest, name: CollectionName): Promise<Item> {
  const scope = await scopeOf(journal.http, request)
  const since = readNumber(request, 'since') ?? 0
  const limit = readLimit(request, { byDefault: PAGE_DEFAULT, max: PAGE_MAX })
  const epoch = readParameter(request, 'epoch')
  const { http, collections } = journal
  return http.database.read(async (reader) => {
    const horizon = (await readHorizons(reader, scope.space)).get(name) ?? 0
    const lost = since !== 0 && (await isLostVersion(reader, scope.space, since))
    refuseLost(journal, { since, epoch, horizon, lost })
    const { version } = await readSpaceState(reader, scope.space)
    const { rows: records, more: hasMore } = await scanRecords(reader, collections[name], { space: scope.space, after: since, limit })
    const live = records.filter(({ deletedAt }) => deletedAt === null)
    const items = await itemContextOf(reader, journal, { collection: name, space: scope.space }, live)
    const changes = live.map((record) => itemOf(name, record, items))
    const deletions = records.filter(({ deletedAt }) => deletedAt !== null).map((record) => deletionOf(name, record))
    const lastTimestamp = hasMore ? (records.at(-1)?.version ?? version) : version
    const page = { deletions, lastTimestamp, hasMore, epoch: http.epoch }
    return name === 'drafts' ? { drafts: changes, cursor: null, ...page } : { changes, ...page }
  })
}

interface Asked {
  readonly since: number
  readonly epoch: string | undefined
  readonly horizon: number
  /** The cursor was given out by a timeline that a restore has ended. */
  readonly lost: boolean
}

/** A cursor that cannot be continued without a gap. Starting from 0 always can. */
function refuseLost({ http }: JournalContext, { since, epoch, horizon, lost }: Asked): void {
  if (since === 0) return
  const reason = epoch !== undefined && epoch !== http.epoch ? 'epoch' : lost ? 'restored' : since < horizon ? 'horizon' : undefined
  if (reason === undefined) return
  throw new DialectError('RESYNC_REQUIRED', {
    message: 'The feed cannot go on from this cursor without a gap. Keep what is unsent and read again from 0.',
    details: { reason },
    extra: { epoch: http.epoch, horizon },
  })
}

/** One live record as the feed shows it; undefined for an unknown or deleted one. */
export async function readItem(journal: JournalContext, scope: Scope, { collection, id }: { readonly collection: CollectionName; readonly id: string }): Promise<Item | undefined> {
  return journal.http.database.read(async (reader) => {
    const record = await getRecord(reader, journal.collections[collection], scope.space, id)
    if (record === undefined || record.deletedAt !== null) return undefined
    return itemOf(collection, record, await itemContextOf(reader, journal, { collection, space: scope.space }, [record]))
  })
}
