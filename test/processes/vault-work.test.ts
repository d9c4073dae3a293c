import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestDatabase, type TestDatabase } from '../../src/testing/open-test-database.ts'
import { openVaultProcesses, type Hear, type ItemRow, type VaultProcesses } from './vault-processes.ts'

/** Items that three processes share. 1,000 take a while on a small machine. */
const ITEMS = Number(process.env['HOLDFAST_TEST_ITEMS'] ?? 100)

const textsOf = (count: number) => Array.from({ length: count }, (_, index) => `note ${String(index).padStart(5, '0')}`)

/** How soon a death shows, in milliseconds: longer than a process is kept from its heartbeat while others start. */
const LEASE_MS = 3_000

const open = (opened: TestDatabase, leaseMs: number, hear: Hear) => openVaultProcesses(opened, { workers: ['one', 'two'], leaseMs, hear })

/** What a run made of an item, with how often it was tried and how many entries of the change log that took. */
const madeOf = ({ rawText, status, attempts, outcome, errorCode, title, changes }: ItemRow) => [rawText, status, attempts, outcome, errorCode, title, changes]
const about = (text: string) => `About ${text}`
const enriched = (text: string, attempts: number) => [text, 'READY_TO_CONFIRM', attempts, 'done', null, about(text), 2]

/** How often the provider was asked about each text. */
function timesAsked({ provider }: VaultProcesses): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  for (const { text } of provider.asked) times.set(text, (times.get(text) ?? 0) + 1)
  return times
}

test('VLT-33 VLT-37 Two worker processes beside a server: each item is asked about once and written once', async () => {
  await using opened = await openTestDatabase()
  // Nobody is answered before all three have asked, so that all three have a share.
  const names = new Set<string>()
  const all = Promise.withResolvers<void>()
  await using world = await open(opened, 60_000, async (who, text) => {
    if (names.add(who).size === 3) all.resolve()
    await all.promise
    return about(text)
  })
  const texts = textsOf(ITEMS)
  await world.capture(texts)
  const items = await world.untilNoneWaits()
  assert.deepEqual(
    items.map(madeOf),
    texts.map((text) => enriched(text, 1)),
  )
  assert.deepEqual(timesAsked(world), new Map(world.provider.asked.map(({ text }) => [text, 1])))
})

test('VLT-36 A worker process that is killed in the middle of its items: each is done once afterwards, the attempt counted', async () => {
  await using opened = await openTestDatabase()
  const doomed = new Set<string>()
  const dead = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  await using world = await open(opened, LEASE_MS, async (who, text) => {
    // The others wait, so that the one that is killed surely has a share.
    if (who !== 'one') {
      await dead.promise
      return about(text)
    }
    if (doomed.add(text).size === 4) asked.resolve()
    return undefined
  })
  const texts = textsOf(40)
  await world.capture(texts)
  await asked.promise
  await world.kill('one')
  dead.resolve()
  const items = await world.untilNoneWaits()
  assert.deepEqual(
    items.map(madeOf),
    texts.map((text) => enriched(text, doomed.has(text) ? 2 : 1)),
  )
  assert.deepEqual(timesAsked(world), new Map(world.provider.asked.map(({ text }) => [text, doomed.has(text) ? 2 : 1])))
})

test('VLT-36 A worker process that sleeps through its lease writes nothing when it wakes', async () => {
  await using opened = await openTestDatabase()
  const held = new Set<string>()
  const asleep = Promise.withResolvers<void>()
  const awake = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  await using world = await open(opened, LEASE_MS, async (who, text) => {
    if (who !== 'one') {
      await asleep.promise
      return about(text)
    }
    if (held.add(text).size === 4) asked.resolve()
    await awake.promise
    return 'Too late'
  })
  const texts = textsOf(12)
  await world.capture(texts)
  await asked.promise
  await world.sleep('one')
  asleep.resolve()
  const expected = texts.map((text) => enriched(text, held.has(text) ? 2 : 1))
  assert.deepEqual((await world.untilNoneWaits()).map(madeOf), expected)
  awake.resolve()
  world.wake('one')
  await world.stop('one')
  assert.deepEqual((await world.untilNoneWaits()).map(madeOf), expected)
})

test('VLT-36 VLT-37 An item that kills its process each time has failed after its attempts, while the others are done', async () => {
  await using opened = await openTestDatabase()
  const poison = 'note 00007'
  const replaced: Promise<void>[] = []
  const killed: string[] = []
  await using world: VaultProcesses = await open(opened, LEASE_MS, async (who, text) => {
    if (text !== poison) return about(text)
    killed.push(who)
    replaced.push(world.replace(who))
    return undefined
  })
  const texts = textsOf(40)
  await world.capture(texts)
  const items = await world.untilNoneWaits()
  await Promise.all(replaced)
  assert.equal(killed.length, 3)
  const bad = items.find(({ rawText }) => rawText === poison)
  assert.deepEqual(bad === undefined ? [] : madeOf(bad), [poison, 'FAILED', 3, 'failed', 'WORKER_CRASHED', null, 2])
  const others = items.filter(({ rawText }) => rawText !== poison)
  assert.deepEqual(
    others.map(madeOf),
    texts.filter((text) => text !== poison).map((text) => enriched(text, others.find(({ rawText }) => rawText === text)?.attempts ?? 0)),
  )
})
