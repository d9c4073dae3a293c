import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fields } from '../app/conflict-policy.ts'
import type { StoredRecord } from '../app/rule.ts'
import { diaryApp } from '../testing/diary-app.ts'
import { openTestSpace, type TestMutation, type TestSpace } from '../testing/open-test-space.ts'
import { listConflicts } from './conflict-store.ts'
import { getRecord } from './read-records.ts'
import { recordHistory, type HistoryEntry } from './record-history.ts'
import { verifyChain } from './verify-chain.ts'

const ids = ['a', 'b', 'c'] as const

/** An edit, with the place of its base among the versions that the record has had. */
const edits = fc.record({
  id: fc.constantFrom(...ids),
  kind: fc.oneof(
    fc.record({ op: fc.constant('put' as const), data: fc.record({ title: fc.constantFrom('x', 'y', 'z'), visits: fc.integer({ min: 0, max: 3 }) }) }),
    fc.record({
      op: fc.constant('patch' as const),
      data: fc.record({ title: fc.constantFrom('x', 'y', 'z'), score: fc.constantFrom(null, 1, 2), tags: fc.uniqueArray(fc.constantFrom('p', 'q')), favorite: fc.boolean() }, { requiredKeys: [] }),
    }),
    fc.record({ op: fc.constant('delete' as const) }),
  ),
  base: fc.nat({ max: 3 }),
  group: fc.option(fc.constantFrom('g', 'h'), { nil: undefined }),
})
const pushes = fc.array(
  fc.record({ device: fc.constantFrom('phone', 'laptop'), edits: fc.array(edits, { minLength: 1, maxLength: 5 }), clock: fc.integer({ min: -50, max: 50 }), twice: fc.boolean() }),
  {
    minLength: 1,
    maxLength: 8,
  },
)

/** What a record was at each of its versions, as the answers told it; null where it was deleted. */
type Told = Map<string, Map<number, Fields | null>>

async function checkSpace(world: TestSpace, told: Told): Promise<void> {
  const notes = diaryApp.collections.get('notes')
  assert.ok(notes)
  assert.equal((await verifyChain(world.database, world.space)).kind, 'intact')
  for (const [id, versions] of told) {
    const states: readonly HistoryEntry[] = await world.database.read(async (reader) => (await recordHistory(reader, notes, world.space, id, { limit: 100 })).rows)
    const stored: StoredRecord | undefined = await world.database.read((reader) => getRecord(reader, notes, world.space, id))
    assert.deepEqual([states[0]?.version, states[0]?.record.fields], [stored?.version, stored?.fields], 'history begins with what is stored')
    const byVersion = new Map(states.map(({ version, record }) => [version, record.deletedAt === null ? record.fields : null]))
    for (const [version, fields] of versions) assert.deepEqual(byVersion.get(version), fields, `${id} at ${version}`)
  }
  const { changes } = await world.pull()
  const seen = changes.map(({ version }) => version)
  assert.deepEqual(
    seen,
    seen.toSorted((one, other) => one - other),
  )
  const open = await world.database.read(async (reader) => (await listConflicts(reader, { space: world.space, collections: undefined, state: 'open', after: undefined, limit: 100 })).rows)
  assert.equal(new Set(open.map(({ client, record }) => `${client} ${record}`)).size, open.length, 'one open conflict per record and client')
}

test('LOG-3 After any pushes the log is intact, gives every state that was answered, and a push that comes again changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(pushes, async (all) => {
      await using world = await openTestSpace(diaryApp)
      const told: Told = new Map(ids.map((id) => [id, new Map()]))
      let n = 0
      for (const { device, edits: some, clock, twice } of all) {
        world.advance(clock)
        const mutations = some.map(({ id, kind, base, group }): TestMutation => {
          const versions = [0, ...(told.get(id)?.keys() ?? [])]
          n += 1
          return { collection: 'notes', id, n, base: versions[versions.length - 1 - (base % versions.length)] ?? 0, ...kind, ...(group === undefined ? {} : { group }) }
        })
        const options = { device, clientId: device }
        const first = await world.push(mutations, options)
        for (const { status, record } of first.outcomes) {
          if ((status === 'applied' || status === 'merged') && record !== undefined) told.get(record.id)?.set(record.version, record.deletedAt === null ? record.fields : null)
          // Whatever the answer, what it shows is or was stored.
          if (record !== undefined) assert.ok(told.get(record.id)?.has(record.version), `${record.id} ${record.version}`)
        }
        if (!twice) continue
        const again = await world.push(mutations.toReversed(), options)
        assert.equal(again.version, first.version)
        assert.deepEqual(
          again.outcomes.map(({ status }) => status),
          first.outcomes.map(({ status }) => status).toReversed(),
        )
      }
      await checkSpace(world, told)
    }),
    { numRuns: process.env['HOLDFAST_TEST_DATABASE_URL'] === undefined ? 60 : 8 },
  )
})
