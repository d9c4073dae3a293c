import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImportEntry } from './import/import-entry.ts'
import { parseBookmarks } from './import/parse-bookmarks.ts'
import { parseCsv } from './import/parse-csv.ts'
import { parseLines } from './import/parse-lines.ts'
import { openTestVault } from './open-test-vault.ts'
import { planEntries } from './routes/plan-import.ts'
import { createVaultContext } from './routes/vault-context.ts'
import { readSettings } from './settings.ts'

const ENTRIES = 10_000
/** Turns of others while so many entries are worked on: one between every 200. */
const TURNS_MIN = ENTRIES / 200 - 1

/** Does a work and counts how often others have their turn meanwhile. */
async function turnsDuring<Result>(work: () => Promise<Result>): Promise<{ readonly turns: number; readonly result: Result }> {
  let turns = -1
  let next: NodeJS.Immediate | undefined
  const count = () => {
    turns += 1
    next = setImmediate(count)
  }
  count()
  const result = await work()
  clearImmediate(next)
  return { turns, result }
}

const lines = 'a note\n'.repeat(ENTRIES)

test('VLT-70 While a file is read others have their turn, whatever its form', async () => {
  const files: readonly (readonly [name: string, read: () => Promise<ImportEntry[]>])[] = [
    ['lines', () => parseLines(lines)],
    ['table', () => parseCsv(`text\n${lines}`)],
    ['table of long rows', () => parseCsv(`text,tags\n${`${'x'.repeat(200)},a;b;c\n`.repeat(ENTRIES)}`)],
    ['bookmarks', () => parseBookmarks('<A HREF="https://example.org/a" TAGS="a,b">title</A>\n'.repeat(ENTRIES))],
  ]
  for (const [name, read] of files) {
    const { turns, result } = await turnsDuring(read)
    assert.equal(result.length, ENTRIES, name)
    assert.ok(turns >= TURNS_MIN, `${name}: ${turns} turns`)
  }
})

test('VLT-70 What has no entries in it lets others in as well', async () => {
  const { turns, result } = await turnsDuring(() => parseLines('\n'.repeat(ENTRIES)))
  assert.deepEqual([result, turns >= TURNS_MIN], [[], true])
})

test('VLT-70 While entries are planned others have their turn', async () => {
  await using world = await openTestVault()
  const vault = createVaultContext(world.server.context, readSettings({ HOLDFAST_VAULT_AI: 'stub' }))
  const entries = Array.from(
    { length: ENTRIES },
    (_, index): ImportEntry => ({ line: index + 1, ...(index % 3 === 0 ? { url: `https://example.org/${index}` } : { rawText: index % 3 === 1 ? 'x' : '\0' }), tags: [] }),
  )
  const { turns, result } = await turnsDuring(() => planEntries(vault, entries, { enrich: false }))
  assert.deepEqual(
    result.map(({ line }) => line),
    entries.map(({ line }) => line),
  )
  assert.ok(turns >= TURNS_MIN, `${turns} turns`)
})

test('VLT-70 While an import finds nothing new others have their turn', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const { turns, result } = await turnsDuring(() => user.call('POST', '/items/import', lines, { 'content-type': 'text/plain' }))
  assert.deepEqual([result.status, result.body['created'], result.body['duplicates']], [200, 1, ENTRIES - 1])
  // Once while it is read, once while it is planned, and once while it is captured.
  assert.ok(turns >= 3 * TURNS_MIN, `${turns} turns`)
})
