import assert from 'node:assert/strict'
import type { Fields } from '../../src/app/conflict-policy.ts'
import type { PullResponse } from '../../src/protocol/pull.ts'
import { comparable } from './check-world.ts'
import { TALLY } from './person.ts'
import { ACCOUNTS, type Account } from './plan.ts'
import { collectionNames } from './simulated-app.ts'
import { SERVER_URL } from './simulated-device.ts'
import { calm } from './simulated-network.ts'
import type { World } from './world.ts'

const ROUNDS_MAX = 40
const PAUSE_MS = 120_000
/** A wait that the server or a failure has asked for ends within this. */
const LONG_PAUSE_MS = 4 * 3_600_000

/** Ends all faults. Every device, for every account that works on it, then comes to what the server has, with nothing waiting. */
export async function converge(world: World): Promise<void> {
  world.network.weather = calm
  world.server.crashAt(undefined)
  for (const device of world.devices) {
    device.disk.full = false
    device.crashAt(undefined)
    device.setOnline(true)
    if (!device.alive) await world.take({ kind: 'restart', who: world.devices.indexOf(device), afterMs: 0 })
  }
  await world.timeline.pass(PAUSE_MS)
  const places = [...ACCOUNTS].toReversed().flatMap((account) => [...world.devices.keys()].filter((index) => world.accountsOn[index]?.has(account)).map((index) => ({ index, account })))
  for (const { index, account } of [...places, ...places]) await rest(world, index, account)
  for (const { index, account } of places) {
    await rest(world, index, account)
    assert.deepEqual(await shownOn(world, index), await storedFor(world, account), `Device ${index} does not show what the server has for ${account}.`)
  }
  for (const account of ACCOUNTS) await checkTally(world, account)
  checkNothingOpen(world)
  world.rested = true
  world.check()
}

/** Syncs until nothing waits and nothing is open; conflicts are decided for the server, so that it ends. */
async function rest(world: World, index: number, account: Account): Promise<void> {
  const device = world.devices[index]
  if (device === undefined) return
  if (world.seats[index] !== account) await world.sit(index, account)
  const { client } = device
  await client.resume()
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const outcome = await world.ask(device, client.sync(), 'A sync')
    if (outcome?.kind === 'waiting' && (outcome.reason === 'sign-in' || outcome.reason === 'signed-out')) {
      await world.sit(index, account)
      // The backup is off for an account: what was on before was nobody's.
      await client.resume()
    } else if (outcome?.kind !== 'synced') await world.timeline.pass(round < 3 ? PAUSE_MS : LONG_PAUSE_MS)
    else {
      const decided = await world.person(index).resolve('theirs')
      const refused = await client.rejected.list()
      for (const _row of refused) await world.person(index).mend('discard')
      if (decided + refused.length === 0 && !device.disk.text(['outbox']).includes(`"owner":"${world.users.get(account)}"`)) return
      await world.timeline.pass(round < 3 ? PAUSE_MS : LONG_PAUSE_MS)
    }
    world.check()
  }
  throw new Error(`Device ${device.name} does not come to rest for ${account}: ${JSON.stringify(client.status.get())} ${device.disk.text(['outbox'])}`)
}

/** What was open is decided on the devices by now: the server must not wait for a word that nobody was asked for. A restore brings some back. */
function checkNothingOpen({ restored, server }: World): void {
  if (restored) return
  const open = server.query<{ place: string }>("SELECT client || ' ' || collection || '/' || record AS place FROM holdfast_conflicts WHERE state = 'open'")
  const refused = server.query<{ place: string }>("SELECT client || ' ' || collection || '/' || record AS place FROM holdfast_rejected")
  assert.deepEqual({ open: open.map(({ place }) => place), refused: refused.map(({ place }) => place) }, { open: [], refused: [] }, 'The server has something open that no device knows of.')
}

async function shownOn({ devices }: World, index: number): Promise<Record<string, unknown>> {
  const client = devices[index]?.client
  if (client === undefined) return {}
  const records: [string, Fields][] = []
  for (const name of collectionNames) {
    for (const { id, data, sync } of await client.collections[name].list()) {
      assert.equal(sync, 'synced', `${name}/${id}`)
      records.push([`${name}/${id}`, data as Fields])
    }
  }
  return comparable(records)
}

async function storedFor(world: World, account: Account): Promise<Record<string, unknown>> {
  const { accessToken } = await world.login(account, 'witness')
  const query = new URLSearchParams({ limit: '1000', collections: collectionNames.join(',') })
  const [answer] = await world.server.handle([
    { method: 'GET', url: `${SERVER_URL}/api/v1/simulation/pull?${query}`, headers: { authorization: `Bearer ${accessToken}` }, signal: new AbortController().signal },
  ])
  const { changes } = JSON.parse(answer?.body ?? '') as PullResponse
  return comparable(changes.map(({ collection, id, data }) => [`${collection}/${id}`, data as Fields] as const))
}

/** Each count took effect once. Where a restore took counts back a device can only offer the sum that it knows. */
async function checkTally(world: World, account: Account): Promise<void> {
  const { kept, lost } = world.counted[account]
  const records = await storedFor(world, account)
  const { count } = records[`tallies/${TALLY}`] as { count: number }
  for (const record of Object.values(records) as { body?: string }[]) {
    const words = record.body?.match(/[pq]\d+;/g) ?? []
    assert.equal(new Set(words).size, words.length, `A line was added twice: ${record.body}`)
  }
  if (!world.restored) assert.ok(count >= kept && count <= kept + lost, `${account} counted ${kept} times, and ${lost} more that a device died over; the tally says ${count}.`)
}
