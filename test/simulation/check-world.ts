import assert from 'node:assert/strict'
import type { Fields } from '../../src/app/conflict-policy.ts'
import { tableNames } from '../../src/client/stores/store.ts'
import { wordsIn, type BookedEdit, type EditBook } from './edit-book.ts'
import type { Account } from './plan.ts'
import { collectionNames } from './simulated-app.ts'
import type { SimulatedDevice } from './simulated-device.ts'
import type { SimulatedServer } from './simulated-server.ts'

export interface WorldView {
  readonly server: SimulatedServer
  readonly devices: readonly SimulatedDevice[]
  readonly book: EditBook
  /** Ids of the users, by account. */
  readonly users: ReadonlyMap<Account, string>
  /** A restore has taken the server back. */
  readonly restored: boolean
  /** Everybody has come to rest: what a restore lost has been offered again. */
  readonly rested: boolean
}

/** Where an edit may stand on a device while the server does not have it. */
const waitingTables = ['outbox', 'conflicts', 'rejected'] as const
/** Where a device keeps what it would offer a server that was restored. */
const offeredTables = ['records', 'acked'] as const

/** What must hold at every moment: no edit is nowhere, and nobody has a word of somebody else. */
export function checkWorld(world: WorldView): void {
  const server = serverTexts(world)
  for (const [account, { standing, log }] of server) assertOnly(account, standing + log, 'The server’s space')
  const texts = world.devices.map(({ disk }) => disk.text(world.restored && !world.rested ? [...waitingTables, ...offeredTables] : waitingTables))
  for (const device of world.devices) checkPartitions(world, device)
  // Where the last write wins, one that lost is kept by the server alone, and goes with what a restore takes.
  const mayBeLost = ({ what }: BookedEdit) => world.restored && what === 'mark'
  const missing = world.book.missing(
    (edit) => mayBeLost(edit) || isOnServer(server.get(edit.account), edit) || texts.some((text) => text.includes(edit.token)) || (edit.what === 'delete' && isDeleted(world, edit)),
  )
  assert.deepEqual(missing.map(tellEdit), [], 'An edit is nowhere: not on the server, not waiting, in no conflict, not among the refused, and nobody who saw it replaced it.')
}

interface ServerText {
  /** Records that are there, conflicts and what was refused. */
  readonly standing: string
  readonly log: string
}

/** Where the last write wins, the one before is in the log alone. */
function isOnServer(text: ServerText | undefined, { what, token }: BookedEdit): boolean {
  return text !== undefined && (text.standing.includes(token) || (what === 'mark' && text.log.includes(token)))
}

const readTexts = new WeakMap<SimulatedServer, { readonly state: string; readonly texts: ReadonlyMap<Account, ServerText> }>()

/** All that the server has of each account's space. */
function serverTexts({ server, users }: WorldView): ReadonlyMap<Account, ServerText> {
  const state = server.state()
  const known = readTexts.get(server)
  if (known?.state === state) return known.texts
  const texts = new Map<Account, ServerText>()
  for (const [account, user] of users) {
    const [space] = server.query<{ space: number }>("SELECT space FROM holdfast_spaces WHERE app = 'simulation' AND owner_id = ?", user)
    if (space === undefined) continue
    const rows = server.query<{ text: string }>(
      `SELECT coalesce(base, '') || coalesce(server, '') || coalesce(client_fields, '') AS text FROM holdfast_conflicts WHERE space = ?1
       UNION ALL SELECT mutation FROM holdfast_rejected WHERE space = ?1`,
      space.space,
    )
    const records = collectionNames.flatMap((name) => server.query(`SELECT * FROM simulation_${name} WHERE space = ?1 AND deleted_at IS NULL`, space.space))
    const log = server.query<{ text: string }>('SELECT changes AS text FROM holdfast_changes WHERE space = ?1', space.space)
    texts.set(account, { standing: [...rows.map(({ text }) => text), JSON.stringify(records)].join('\n'), log: log.map(({ text }) => text).join('\n') })
  }
  readTexts.set(server, { state, texts })
  return texts
}

/** A deletion carries no word: it is somewhere when the record is gone, or the deletion waits, was logged, met an edit, was refused, or took back what nobody had seen. */
function isDeleted({ server, devices, users, book, restored }: WorldView, edit: BookedEdit): boolean {
  const { account, device, collection, id } = edit
  if (devices.some(({ disk }) => /"op":"delete"|"mine":null/.test(disk.text(restored ? [...waitingTables, 'acked'] : waitingTables)))) return true
  const later = book.edits.slice(book.edits.indexOf(edit) + 1).filter((other) => other.collection === collection && other.id === id && other.state !== 'refused')
  if (later.some((other) => other.device === device)) return true
  // A restore that took the record too left nothing to delete: an edit of somebody who did not know of the deletion brings it back.
  if (restored && later.some(({ what }) => what !== 'delete')) return true
  if (edit.replaces.every((word) => book.edits.some((earlier) => earlier.token === word && earlier.device === device))) return true
  const [row] = server.query<{ count: number }>(
    `SELECT (SELECT count(*) FROM holdfast_changes WHERE space = spaces.space AND entity_id = ?1 AND action = ?2 || '.delete')
      + (SELECT count(*) FROM holdfast_conflicts WHERE space = spaces.space AND record = ?1 AND collection = ?2 AND operation = 'delete')
      + (SELECT count(*) FROM holdfast_rejected WHERE space = spaces.space AND record = ?1 AND collection = ?2 AND operation = 'delete')
      + NOT EXISTS (SELECT 1 FROM simulation_notes WHERE space = spaces.space AND id = ?1 AND deleted_at IS NULL) AS count
     FROM holdfast_spaces AS spaces WHERE app = 'simulation' AND owner_id = ?3`,
    id,
    collection,
    users.get(account) ?? '',
  )
  return (row?.count ?? 1) > 0
}

/** Each account has a part of the disk of its own. */
function checkPartitions({ users }: WorldView, { name, disk }: SimulatedDevice): void {
  const partitions = disk.rows('settings').flatMap(([, row]) => (row.kind === 'place' ? row.partitions : []))
  for (const { id, owner } of partitions) {
    const account = [...users].find(([, user]) => user === owner)?.[0]
    const text = disk
      .text(tableNames)
      .split('\n')
      .filter((line) => line.startsWith(`${id}/`))
      .join('\n')
    if (account !== undefined) assertOnly(account, text, `Device ${name}, part of ${account},`)
  }
}

function assertOnly(account: Account, text: string, place: string): void {
  const foreign = wordsIn(text).filter((word) => !word.startsWith(account))
  assert.deepEqual(foreign, [], `${place} has words of another account.`)
}

/** Records by `collection/id`, without fields that say nothing, so that releases of the app compare. */
export function comparable(records: Iterable<readonly [place: string, fields: Fields]>): Record<string, unknown> {
  const sorted = [...records].toSorted(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(
    sorted.map(([place, fields]) => [
      place,
      Object.fromEntries(
        Object.entries(fields)
          .filter(([, value]) => value !== null)
          .toSorted(([one], [other]) => (one < other ? -1 : 1)),
      ),
    ]),
  )
}

function tellEdit({ token, device, collection, id, what, replaces }: BookedEdit): string {
  return `${token} ${what} of ${collection}/${id} on ${device}${replaces.length === 0 ? '' : `, over ${replaces.join(' ')}`}`
}
