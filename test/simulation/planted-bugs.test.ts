import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { plant, planted, type Caught } from './plant.ts'
import { plantedBugs } from './planted-bugs.ts'

/** All bugs, which takes minutes, or one. */
const PLANTED = process.env['SIM_PLANTED'] === 'all' ? plantedBugs : plantedBugs.filter(({ name }) => name === 'mutation number: given out and not noted')

test('SIM-8 Every bug that is planted has its place in the sources, once', () => {
  for (const bug of plantedBugs) assert.notEqual(planted(readFileSync(bug.file, 'utf8'), bug), '')
})

test('SIM-8 A planted bug is caught', { timeout: 3_600_000 }, async (t) => {
  const caught: Caught[] = []
  await plant(PLANTED, (one) => {
    t.diagnostic(`${one.bug.name}: seed ${one.seed}, ${one.seconds.toFixed(0)} s`)
    caught.push(one)
  })
  assert.equal(caught.length, PLANTED.length)
  assert.deepEqual(
    caught.filter(({ seed }) => seed === undefined).map(({ bug }) => bug.name),
    [],
  )
})
