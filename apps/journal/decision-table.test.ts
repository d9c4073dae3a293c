import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestJournal, type TestJournal, type TestUser } from './open-test-journal.ts'

type Operation = 'create' | 'update' | 'delete'
type Stored = 'none' | 'live' | 'deleted'
type Constraint = 'none' | 'known' | 'older' | 'newer' | 'restore'

interface Row {
  readonly operation: Operation
  readonly stored: Stored
  readonly same: boolean
  readonly constraint: Constraint
  /** The writer's time beside that of the stored record, or of its deletion. */
  readonly time: 'earlier' | 'later'
}

interface Expected {
  readonly status: number
  /** Set for a 409. */
  readonly reason?: string
  /** Set for a create or update that answers 200. */
  readonly applied?: boolean
  readonly writes: boolean
}

const cases: readonly (readonly [rule: string, row: Row, expected: Expected])[] = allRows().map((row) => [ruleOf(row), row, expectedOf(row)])

/** The decision table of the contract, read row by row: the first that fits decides. */
function expectedOf({ operation, stored, same, constraint, time }: Row): Expected {
  const unchanged = { status: 200, applied: true, writes: false }
  const applied = { status: 200, applied: true, writes: true }
  const refused = (reason: string) => ({ status: 409, reason, writes: false })
  if (operation === 'delete') {
    if (stored !== 'live') return { status: 200, writes: false }
    if (constraint === 'older') return refused('stale')
    return constraint === 'newer' ? refused('ahead') : { status: 200, writes: true }
  }
  if (stored === 'live') {
    if (same) return unchanged
    if (constraint === 'older') return refused('stale')
    if (constraint === 'newer') return refused('ahead')
    if (constraint === 'known') return applied
    return time === 'later' ? applied : { status: 200, applied: false, writes: false }
  }
  if (operation === 'update') return stored === 'none' ? { status: 404, writes: false } : refused('deleted')
  if (stored === 'none') return applied
  const revives = constraint === 'restore' || constraint === 'known' || (constraint === 'none' && time === 'later')
  return revives ? applied : refused('deleted')
}

function ruleOf({ operation, stored, same, constraint }: Row): string {
  if (operation === 'delete') return constraint === 'older' || constraint === 'newer' ? 'JRN-20' : 'JRN-19'
  if (operation === 'update' && stored !== 'live') return 'JRN-17'
  if (stored === 'deleted') return 'JRN-21'
  if (stored === 'none') return 'JRN-7'
  if (same) return constraint === 'older' ? 'JRN-15' : 'JRN-9'
  if (constraint === 'newer') return 'JRN-14'
  if (constraint === 'older') return 'JRN-13'
  return constraint === 'known' ? 'JRN-12' : 'JRN-10'
}

function allRows(): Row[] {
  const rows: Row[] = []
  for (const operation of ['create', 'update', 'delete'] as const) {
    for (const stored of ['none', 'live', 'deleted'] as const) {
      for (const constraint of operation === 'create' ? (['none', 'known', 'older', 'newer', 'restore'] as const) : (['none', 'known', 'older', 'newer'] as const)) {
        for (const same of operation !== 'delete' && stored === 'live' ? [true, false] : [false]) {
          for (const time of operation === 'delete' || same || stored === 'none' ? (['later'] as const) : (['earlier', 'later'] as const)) rows.push({ operation, stored, same, constraint, time })
        }
      }
    }
  }
  return rows
}

const bodies = {
  content: { type: 'TEXT', content: 'first', createdAt: 1_000 },
  journals: { title: 'first', createdAt: 1_000 },
  drafts: { content: 'first', createdAt: 1_000 },
} as const

for (const [rule, rows] of Map.groupBy(cases, ([name]) => name)) {
  test(`${rule} content follows the rows of the table that are about this rule`, async () => {
    await using world = await openTestJournal()
    for (const [, row, expected] of rows) await proveRow(world, 'content', row, expected)
  })
}

for (const name of ['journals', 'drafts'] as const) {
  test(`JRN-15 ${name} follow the same table, row by row`, async () => {
    await using world = await openTestJournal()
    for (const [, row, expected] of cases) await proveRow(world, name, row, expected)
  })
}

function textOf({ operation, stored, same, constraint, time }: Row): string {
  return `${operation} over ${stored}, ${same ? 'same' : 'other'} fields, base ${constraint}, ${time} time`
}

/** Each row has a user, and so a journal, of its own. */
async function proveRow(world: TestJournal, name: keyof typeof bodies, row: Row, expected: Expected): Promise<void> {
  const { operation, stored } = row
  const what = textOf(row)
  const user = await world.signUp()
  const { version, lastUpdated } = await prepare(world, user, { name, stored })
  const before = await stateOf(user, name)
  const answer = await write(user, { name, row, version, lastUpdated })
  assert.equal(answer.status, expected.status, what)
  if (expected.applied !== undefined) {
    assert.equal(answer.body.applied, expected.applied, what)
    assert.equal(answer.body.current === null, expected.applied, what)
    if (!expected.writes) assert.equal(answer.body.serverVersion, version, what)
    else assert.ok((answer.body.serverVersion ?? 0) > version, what)
  }
  if (expected.reason !== undefined) {
    assert.equal(answer.body.code, 'CONFLICT', what)
    assert.deepEqual([answer.body.details['reason'], answer.body.details['serverVersion']], [expected.reason, String(version)], what)
    const { current } = answer.body
    assert.deepEqual([current?.id, current?.serverVersion, current?.isDeleted], ['r1', version, stored === 'deleted'], what)
    assert.equal(answer.body.conflictId === null, expected.reason === 'ahead' || operation === 'delete', what)
  }
  const after = await stateOf(user, name)
  if (expected.writes) assert.ok(after.lastTimestamp > before.lastTimestamp, what)
  else assert.deepEqual(after, before, what)
}

/** Makes the record twice, so that an older version of it exists, and deletes it where that is asked. */
async function prepare(
  world: TestJournal,
  user: TestUser,
  { name, stored }: { readonly name: keyof typeof bodies; readonly stored: Stored },
): Promise<{ readonly version: number; readonly lastUpdated: number }> {
  if (stored === 'none') return { version: 0, lastUpdated: world.now() }
  const lastUpdated = world.now()
  await user.call('POST', `/sync/${name}`, { ...bodies[name], id: 'r1', lastUpdated: lastUpdated - 1_000 })
  world.advance(5)
  const { body } = await user.call('POST', `/sync/${name}/r1`, { ...renamed(name, 'second'), lastUpdated })
  world.advance(5)
  if (stored === 'live') return { version: body.serverVersion, lastUpdated }
  const deleted = await user.call('POST', `/sync/${name}/r1/delete`)
  world.advance(5)
  return { version: deleted.body.serverVersion, lastUpdated: deleted.body.deletedAt ?? 0 }
}

interface Write {
  readonly name: keyof typeof bodies
  readonly row: Row
  readonly version: number
  readonly lastUpdated: number
}

function write(user: TestUser, { name, row, version, lastUpdated }: Write) {
  const { operation, same, constraint, time } = row
  const known = { known: version, older: Math.max(version - 5, 0), newer: version + 1_000 }
  const base = constraint === 'none' ? {} : constraint === 'restore' ? { restore: true } : { clientLastKnownServerVersion: known[constraint] }
  if (operation === 'delete') return user.call('POST', `/sync/${name}/r1/delete`, base)
  // Only the time differs from "same" where the base is stale: it must not count there.
  const stamp = same ? (constraint === 'older' || constraint === 'newer' ? lastUpdated + 2 : lastUpdated) : lastUpdated + (time === 'later' ? 2 : -2)
  const fields = { ...renamed(name, same ? 'second' : 'third'), lastUpdated: stamp, ...base }
  return operation === 'update' ? user.call('POST', `/sync/${name}/r1`, fields) : user.call('POST', `/sync/${name}`, { ...bodies[name], ...fields, id: 'r1' })
}

function renamed(name: keyof typeof bodies, text: string): object {
  return name === 'journals' ? { title: text } : { content: text }
}

async function stateOf(user: TestUser, name: string) {
  return (await user.call('GET', `/sync/${name}/changes`)).body
}
