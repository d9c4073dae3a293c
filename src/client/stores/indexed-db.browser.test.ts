import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestBrowser } from '../browser.fixture.ts'
import { storeContract } from './store-contract.ts'

test('SDK-1 The IndexedDB store keeps the contract in a real Chromium', async (context) => {
  await using world = await openTestBrowser({ entry: './stores/indexed-db.page.ts' })
  const page = await world.context.newPage()
  await page.goto(world.origin)
  await page.waitForFunction('typeof runContract === "function"')
  const outcomes = (await page.evaluate('runContract()')) as { title: string; failure: string | null }[]
  assert.equal(outcomes.length, storeContract().length)
  for (const { title, failure } of outcomes) await context.test(`SDK-1 ${title} (IndexedDB)`, () => assert.equal(failure, null))
})
