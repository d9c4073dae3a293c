import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestBrowser } from '../client/browser.fixture.ts'

test('SDK-39 The hooks show records, lists, status and conflicts, follow their parameters, and render when something changed', async () => {
  await using world = await openTestBrowser({ entry: '../react/hooks.page.tsx', api: (_request, response) => void response.writeHead(404).end() })
  const page = await world.context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(world.origin)
  const shows = (id: string, text: string) => page.waitForFunction(`document.getElementById('${id}')?.textContent === ${JSON.stringify(text)}`)
  await shows('one', 'none')
  await shows('list', '')
  await shows('conflicts', '0')
  await page.evaluate("client.notes.put('n1', { title: 'first' })")
  await shows('one', 'first')
  await shows('pending', '1')
  await page.evaluate("client.notes.put('n2', { title: 'second', likes: 1 })")
  await shows('list', 'first,second')
  await page.evaluate("document.getElementById('other').click()")
  await shows('one', 'second')
  await page.evaluate("document.getElementById('liked').click()")
  await shows('list', 'second')
  await page.evaluate("client.notes.delete('n2')")
  await shows('list', '')
  await shows('one', 'none')
  const renders = Number(await page.evaluate('renders()'))
  assert.ok(renders < 60, `${renders} renders`)
  await page.evaluate('unmount()')
  await page.evaluate("client.notes.put('n3', { title: 'third' })")
  assert.equal(await page.evaluate('renders()'), renders)
  assert.deepEqual(errors, [])
})
