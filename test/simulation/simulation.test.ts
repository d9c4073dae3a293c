import assert from 'node:assert/strict'
import { test } from 'node:test'
import { converge } from './converge.ts'
import { makePlan } from './plan.ts'
import { simulate, tellStory } from './simulate.ts'
import { simulateMany } from './simulate-many.ts'
import { stories } from './stories.ts'
import { World } from './world.ts'

/** How many worlds are played; more find more. */
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 100)
const FIRST_SEED = Number(process.env['SIM_FIRST_SEED'] ?? 0)
const FAILURES_MAX = Number(process.env['SIM_FAILURES'] ?? 3)

/** Seeds that once ended badly, with what was wrong. */
const regressions: readonly (readonly [seed: number, wrong: string])[] = [
  [5, 'two devices that counted from the same number to the same number counted once'],
  [93, 'a reload that was asked for before a restore was noticed forgot what the restore had lost'],
  [2, 'a count behind one whose answer was lost was added to what the server had of the first'],
]

for (const [seed, wrong] of regressions) {
  test(`SIM-1 Seed ${seed} ends well: ${wrong}`, async () => {
    if ((await simulate(seed)) !== undefined) assert.fail(await tellStory(seed))
  })
}

for (const { seed, wrong, plan } of stories) {
  test(`SIM-1 A story of seed ${seed} ends well: ${wrong}`, async () => {
    const failed = await simulate(seed, plan)
    if (failed !== undefined) throw failed.error
  })
}

test('SIM-1 SIM-2 SIM-3 SIM-4 SIM-5 SIM-6 Whatever fails, no edit is lost, doubled or seen by others, and all devices end with what the server has', { timeout: 3_600_000 }, async (t) => {
  t.diagnostic(`seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1}`)
  const told: string[] = []
  for (const { seed, says } of await simulateMany({ first: FIRST_SEED, count: SEEDS, failuresMax: FAILURES_MAX })) {
    told.push(`Seed ${seed}: ${says}`)
    if (told.length === 1) told.push(await tellStory(seed))
  }
  assert.equal(told.length, 0, told.join('\n\n'))
})

test('SIM-7 The same seed is the same world', async () => {
  for (const seed of [7, 8]) {
    const heard = [await playedBy(seed), await playedBy(seed)]
    assert.equal(heard[0], heard[1])
  }
})

/** Everything that was asked of the server and answered, in order. */
async function playedBy(seed: number): Promise<string> {
  await using world = await World.open(seed)
  for (const step of makePlan(seed)) await world.take(step)
  await converge(world)
  return world.heard.join('\n')
}
