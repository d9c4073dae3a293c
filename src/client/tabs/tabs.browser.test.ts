import assert from 'node:assert/strict'
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import type { TestServer } from '../../testing/open-test-server.ts'
import { openTestBrowser, type TestBrowser } from '../browser.fixture.ts'
import { openDiaryServer } from '../diary.fixture.ts'

type Answering = (request: IncomingMessage, response: ServerResponse) => boolean

interface TabWorld extends AsyncDisposable {
  readonly server: TestServer
  readonly browser: TestBrowser
  /** Method and path of what the tabs asked for. */
  readonly requests: string[]
  /** Answers a request itself, or leaves it to the server. */
  answer: Answering
  openTab(quotaBytes?: number): Promise<Page>
}

/** A server, and tabs of one browser that reach it through this process. */
async function openTabWorld(): Promise<TabWorld> {
  const server = await openDiaryServer()
  const requests: string[] = []
  const world: { answer: Answering } = { answer: () => false }
  const browser = await openTestBrowser({
    entry: './tabs/tabs.page.ts',
    api: (request, response) => {
      const { method = 'GET', url = '', headers } = request
      requests.push(`${method} ${url.split('?')[0]?.replace('/api/v1', '') ?? ''}`)
      if (world.answer(request, response)) return
      const onward = forward(`${server.url}${url}`, { method, headers: { ...headers, host: new URL(server.url).host } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      onward.on('error', () => response.destroy())
      response.on('close', () => onward.destroy())
      request.pipe(onward)
    },
  })
  return Object.assign(world, {
    server,
    browser,
    requests,
    openTab: async (quotaBytes?: number) => {
      const page = await browser.context.newPage()
      if (quotaBytes !== undefined) await (await browser.context.newCDPSession(page)).send('Storage.overrideQuotaForOrigin', { origin: browser.origin, quotaSize: quotaBytes })
      await page.goto(browser.origin)
      await page.waitForFunction('typeof client === "object"')
      return page
    },
    [Symbol.asyncDispose]: async () => {
      await browser[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  })
}

const register = (page: Page) => page.evaluate("client.register({ email: 'ada@example.org', password: 'correct horse' })")
const write = (page: Page, title: string) => page.evaluate(`client.notes.put(${JSON.stringify(title)}, { title: ${JSON.stringify(title)} })`)
const titles = (page: Page) => page.evaluate("client.notes.list({ sort: 'title' }).then((items) => items.map(({ data }) => data.title))") as Promise<string[]>
const shows = (page: Page, ...wanted: string[]) => page.waitForFunction(`JSON.stringify(seen.at(-1)) === ${JSON.stringify(JSON.stringify(wanted))}`)
const isClean = (page: Page) => page.waitForFunction('client.status.get().pending === 0 && client.status.get().signedIn === "signed-in"')

async function stored(server: TestServer): Promise<number[]> {
  const [notes] = await server.database.read((reader) => reader.all<{ count: number }>('SELECT count(*) AS count FROM diary_notes'))
  const [changes] = await server.database.read((reader) => reader.all<{ count: number }>("SELECT count(*) AS count FROM holdfast_changes WHERE entity = 'notes'"))
  return [Number(notes?.count), Number(changes?.count)]
}

test('SDK-37 JRN-68 Two tabs are one client: both write and see at once, one syncs, and the other takes over when it closes', async () => {
  await using world = await openTabWorld()
  const first = await world.openTab()
  await register(first)
  const second = await world.openTab()
  await isClean(second)
  await write(second, 'second')
  await shows(first, 'second')
  assert.deepEqual(await second.evaluate('client.sync()'), { kind: 'synced' })
  await write(first, 'first')
  await shows(second, 'first', 'second')
  assert.deepEqual(await first.evaluate('client.sync()'), { kind: 'synced' })
  await Promise.all([isClean(first), isClean(second)])
  await second.waitForFunction('client.status.get().live')
  assert.equal(world.requests.filter((path) => path === 'GET /diary/events').length, 1)
  await first.close()
  await write(second, 'after')
  assert.deepEqual(await second.evaluate('client.sync()'), { kind: 'synced' })
  assert.deepEqual(await stored(world.server), [3, 3])
})

test('SDK-37 JRN-68 A tab that dies in the middle of a push loses nothing: the other sends it again and it takes effect once', async () => {
  await using world = await openTabWorld()
  const first = await world.openTab()
  await register(first)
  await isClean(first)
  const second = await world.openTab()
  for (const title of ['a', 'b', 'c']) await write(second, title)
  const reached = Promise.withResolvers<void>()
  world.answer = (request, response) => {
    if (request.url?.includes('/push') !== true) return false
    world.answer = () => false
    // The server takes the push; its answer never arrives, because the tab is gone by then.
    const onward = forward(`${world.server.url}${request.url}`, { method: 'POST', headers: { ...request.headers, host: new URL(world.server.url).host } }, (answer) => {
      answer.resume().on('end', () => reached.resolve())
    })
    request.pipe(onward)
    void response
    return true
  }
  void first.evaluate('client.sync()').catch(() => undefined)
  await reached.promise
  await first.close({ runBeforeUnload: false })
  assert.deepEqual(await second.evaluate('client.sync()'), { kind: 'synced' })
  await isClean(second)
  assert.deepEqual(await stored(world.server), [3, 3])
  assert.deepEqual(await titles(second), ['a', 'b', 'c'])
})

test('SDK-26 A database that the browser closes under the client is opened again', async () => {
  await using world = await openTabWorld()
  const page = await world.openTab()
  await register(page)
  await write(page, 'before')
  await page.evaluate('closeDatabases()')
  await write(page, 'after')
  await page.evaluate('closeDatabases()')
  assert.deepEqual(await page.evaluate('client.sync()'), { kind: 'synced' })
  assert.deepEqual(await titles(page), ['after', 'before'])
  assert.deepEqual(await stored(world.server), [2, 2])
})

test('SDK-25 A browser without room refuses the write, keeps what there is, and takes it when there is room again', async () => {
  await using world = await openTabWorld()
  const page = await world.openTab(1_000_000)
  await register(page)
  await write(page, 'before')
  const refused = await page.evaluate(
    "client.notes.put('big', { title: 'big', body: crypto.getRandomValues(new Uint8Array(60_000)).join(',').repeat(10) }).then(() => 'written', (error) => error.name)",
  )
  assert.equal(refused, 'StorageFullError')
  await page.waitForFunction('client.status.get().storageFull')
  assert.deepEqual(await titles(page), ['before'])
  await (await world.browser.context.newCDPSession(page)).send('Storage.overrideQuotaForOrigin', { origin: world.browser.origin })
  await write(page, 'again')
  assert.deepEqual(await page.evaluate('client.sync()'), { kind: 'synced' })
  await page.waitForFunction('!client.status.get().storageFull')
  assert.deepEqual(await stored(world.server), [2, 2])
})

test('SDK-38 A tab with an older program gives the database to a newer one and says so, instead of holding it up or wiping it', async () => {
  await using world = await openTabWorld()
  const page = await world.openTab()
  await register(page)
  await write(page, 'kept')
  await page.evaluate('openNewerFormat()')
  const refused = await page.evaluate("client.notes.list().then(() => 'read', (error) => error.name)")
  assert.equal(refused, 'NewerStoreError')
})

test('SDK-36 A first sync into IndexedDB goes on where it was after its tab was killed', async () => {
  const records = Number(process.env['HOLDFAST_TEST_FIRST_SYNC'] ?? 4_000)
  await using world = await openTabWorld()
  const { headers } = await world.server.register('ada@example.org', 'filler')
  for (let start = 0; start < records; start += 1_000) {
    const mutations = Array.from({ length: 1_000 }, (_, index) => ({ collection: 'notes', id: `n${start + index}`, op: 'put', base: 0, data: { title: `note ${start + index}` } }))
    const response = await fetch(`${world.server.url}/api/v1/diary/push`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ mutations }) })
    assert.equal(response.status, 200)
  }
  const after: string[] = []
  const cut = Promise.withResolvers<void>()
  world.answer = (request, response) => {
    if (request.url?.includes('/snapshot') !== true) return false
    after.push(new URL(request.url, 'http://localhost').searchParams.get('after') ?? '')
    if (after.length > 1) return false
    // The stream stands still after a part of it, until the tab is killed.
    const onward = forward(`${world.server.url}${request.url}`, { headers: { ...request.headers, host: new URL(world.server.url).host, 'accept-encoding': 'identity' } }, (answer) => {
      let passed = 0
      answer.on('data', (piece: Buffer) => {
        passed += piece.length
        response.write(piece)
        if (passed < 500_000) return
        answer.pause()
        cut.resolve()
      })
    })
    response.on('close', () => onward.destroy())
    onward.end()
    return true
  }
  const first = await world.openTab()
  await first.evaluate("client.signIn({ email: 'ada@example.org', password: 'correct horse' })")
  await cut.promise
  await first.waitForFunction('client.status.get().progress?.done >= 1000')
  await first.close({ runBeforeUnload: false })
  const second = await world.openTab()
  await second.evaluate('globalThis.reported = []; client.onProgress((one) => reported.push(one))')
  assert.deepEqual(await second.evaluate('client.sync()'), { kind: 'synced' })
  assert.ok(after.length === 2 && Number(after[1]) > 0, `asked after ${after.join(', ')}`)
  assert.equal(await second.evaluate('client.notes.list().then((items) => items.length)'), records)
  await second.waitForFunction('client.status.get().pending === 0')
})
