import type { CompiledApp } from '../app/compile-app.ts'
import { decodeCursor, encodeCursor, type Cursor } from '../engine/cursor.ts'
import { ledThroughText, readLedThrough, type LedThrough } from '../engine/led-through.ts'
import { limits } from '../protocol/limits.ts'
import { chainAt, checkProof, invalid, resync } from './check-proof.ts'
import type { Reader } from './database.ts'
import { collectionsOf } from './record-json.ts'
import { emptyPage, scanLines } from './scan-lines.ts'
import { readHorizons, readSpaceState, type SpaceState } from './space-state.ts'

export interface PullRequest {
  readonly app: CompiledApp
  readonly space: number
  readonly epoch: string
  readonly cursor: string | undefined
  /** From the answer to a push that the reader has heard; checked before the cursor. */
  readonly proof?: string | undefined
  /** The reader knows that the server was put back and looks for an older cursor that is still good: the log itself is the proof, whatever the epoch. */
  readonly rewound?: boolean | undefined
  readonly limit: number
  /** Names of collections; undefined for all that may be read. */
  readonly collections: readonly string[] | undefined
}

/** The answer of a pull as JSON in UTF-8 (`PullResponse`). Throws `Problem` 400 for a cursor that is not ours, 410 when it cannot be continued. */
export async function pull(reader: Reader, request: PullRequest): Promise<Buffer> {
  const { space, epoch, limit } = request
  const state = await readSpaceState(reader, space)
  const from = await startOf(reader, request, state)
  const page =
    state.recordVersion <= from.version
      ? emptyPage
      : await scanLines(reader, collectionsOf(request.app, request.collections), {
          space,
          after: from.version,
          upTo: state.version,
          tombstonesAfter: from.began,
          limit,
          bytesMax: limits.PULL_BYTES_MAX,
          separator: ',',
          end: '',
        })
  const { json, more } = page
  const version = more && page.version !== undefined ? page.version : state.version
  const began = more ? from.began : 0
  const chain = (await chainAt(reader, space, { version: Math.max(version, began), state })) ?? ''
  const cursor = encodeCursor({ epoch, space, version, chain, collections: collectionSet(request, from.carried), began })
  return Buffer.concat([Buffer.from(`{"epoch":${JSON.stringify(epoch)},"changes":[`), json, Buffer.from(`],"cursor":"${cursor}","more":${more}}`)])
}

/** The cursor for a reader who has everything. */
export async function cursorAt(reader: Reader, request: Pick<PullRequest, 'app' | 'space' | 'epoch' | 'collections'>, state: SpaceState): Promise<string> {
  const { space, epoch } = request
  const { version } = state
  return encodeCursor({ epoch, space, version, chain: (await chainAt(reader, space, { version, state })) ?? '', collections: collectionSet(request), began: 0 })
}

/** Where a request begins to read. */
interface Start extends Pick<Cursor, 'version' | 'began'> {
  /** Collections of a newer program, with the versions up to which the reader has them. */
  readonly carried?: ReadonlyMap<string, number>
}

/** Where a request begins to read. A cursor is checked against the server it comes back to. */
async function startOf(reader: Reader, request: PullRequest, state: SpaceState): Promise<Start> {
  const { app, space, epoch, cursor: text, proof, rewound, collections } = request
  if (proof !== undefined) await checkProof(reader, { space, epoch, proof }, state)
  if (text === undefined) return { version: 0, began: state.version }
  const cursor = decodeCursor(text)
  if (cursor === undefined || cursor.space !== space) throw invalid('cursor')
  if (cursor.epoch !== epoch && rewound !== true) throw resync('epoch')
  // In a first pull the reader has nothing that was deleted before it began.
  const known = Math.max(cursor.version, cursor.began)
  if (known > state.version) throw resync('diverged')
  const chain = await chainAt(reader, space, { version: known, state })
  if (chain === undefined) throw resync('horizon')
  if (chain !== cursor.chain) throw resync('diverged')
  // Said only of a cursor of this log: a client that has lost what it sent must know that first.
  const start = await startOfSet(reader, request, cursor)
  if (start.version === 0 || start.version === state.version) return start
  const horizons = await readHorizons(reader, space)
  const complete = start.version < cursor.version ? start.version : known
  if (collectionsOf(app, collections).some(({ name }) => (horizons.get(name) ?? 0) > complete)) throw resync('horizon')
  return start
}

/**
 * Compares what was asked for with what the cursor was led through. A reader of everything may have been led by an older process past
 * records of collections that only a newer one knows: those that it had before are read again from there, for others it begins anew.
 */
async function startOfSet(reader: Reader, { app, space, collections }: PullRequest, { version, began, collections: set }: Cursor): Promise<Start> {
  const led = collections === undefined ? readLedThrough(set) : undefined
  if (led === undefined) {
    if (collections === undefined || set !== collectionSet({ app, collections })) throw resync('schema')
    return { version, began }
  }
  const carried = [...led.versions].filter(([name]) => !app.collections.has(name)).map(([name, upTo]): [string, number] => [name, upTo ?? version])
  const missed = led.versions.size === 0 ? [] : [...app.collections.values()].filter(({ name }) => !led.versions.has(name))
  for (const { table } of missed) {
    const [row] = await reader.all(`SELECT 1 AS one FROM "${table}" WHERE space = ? AND version <= ? LIMIT 1`, [space, version])
    if (row !== undefined) throw resync('schema')
  }
  const behind = [...led.versions].flatMap(([name, upTo]) => (upTo !== undefined && app.collections.has(name) ? [upTo] : []))
  return { version: Math.min(version, ...behind), began, carried: new Map(carried) }
}

function collectionSet({ app, collections }: Pick<PullRequest, 'app' | 'collections'>, carried: LedThrough['versions'] = new Map()): string {
  if (collections !== undefined) return collections.toSorted().join(',')
  const own = [...app.collections.keys()].map((name): [string, undefined] => [name, undefined])
  return ledThroughText({ versions: new Map<string, number | undefined>([...carried, ...own]) })
}
