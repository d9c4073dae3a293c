import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestVault, type Body, type TestUser, type TestVault } from '../open-test-vault.ts'
import { openLocalServer } from './local-servers.fixture.ts'

const paragraphs = Array.from({ length: 6 }, (_, index) => `<p>Paragraph ${index} tells of the ferry, which crosses the river at dawn, and of the people who wait for it.</p>`).join('')
const page = `<!doctype html><html lang="en"><head><title>The ferry</title></head><body><nav><a href="/">Home</a></nav><article><h1>The ferry</h1>${paragraphs}<script>alert(1)</script></article></body></html>`

function openSite() {
  const paths: string[] = []
  const site = openLocalServer((request, response) => {
    const path = request.url ?? ''
    paths.push(path)
    if (path === '/moved') response.writeHead(302, { location: '/page' }).end()
    else if (path === '/inwards') response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()
    else if (path === '/loop') response.writeHead(302, { location: '/loop' }).end()
    else if (path === '/gone') response.writeHead(404, { 'content-type': 'text/html' }).end(page)
    else if (path === '/image') response.writeHead(200, { 'content-type': 'image/png' }).end('x')
    else if (path === '/large') response.writeHead(200, { 'content-type': 'text/html' }).end('x'.repeat(5_300_000))
    else if (path === '/empty') response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body><div id="app"></div></body></html>')
    else if (path === '/text') response.writeHead(200, { 'content-type': 'text/plain; charset=iso-8859-1' }).end(Buffer.from('Caf\xe9 at dawn', 'latin1'))
    else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
  })
  return site.then((opened) => ({ ...opened, paths }))
}

async function work(world: TestVault): Promise<void> {
  while ((await world.server.runner.runOnce()) > 0) await world.server.runner.settled()
}

async function enriched(world: TestVault, user: TestUser, body: object): Promise<Body> {
  const id = String((await user.call('POST', '/items', body)).body['id'])
  await work(world)
  return (await user.call('GET', `/items/${id}`)).body
}

test('VLT-64 VLT-66 A link, or a text that is one, is fetched and read; the article is in the feed', async () => {
  await using site = await openSite()
  await using world = await openTestVault({ environment: { HOLDFAST_VAULT_AI: 'local', HOLDFAST_VAULT_FETCH_ALLOW: site.place } })
  const user = await world.signUp()
  const found = await enriched(world, user, { rawText: 'Read this', url: `${site.url}/moved` })
  const article = found['article'] as Body
  assert.deepEqual(
    [found['status'], found['sourceType'], found['title'], article['status'], article['code'], article['fetchedUrl']],
    ['READY_TO_CONFIRM', 'ARTICLE', 'The ferry', 'done', null, `${site.url}/page`],
  )
  const pulled = (await user.call('GET', '/api/v1/vault/pull')).body['changes'] as readonly Body[]
  const text = pulled.flatMap(({ collection, data }) => (collection === 'articles' ? [String((data as Body)['text'])] : []))
  assert.equal(text.length, 1)
  assert.ok(text[0]?.includes('Paragraph 5') && !text[0].includes('<p>') && !text[0].includes('alert') && !text[0].includes('Home'))
  assert.equal(((await enriched(world, user, { rawText: `${site.url}/text` }))['article'] as Body)['status'], 'done')
  await enriched(world, user, { rawText: `See ${site.url}/page for more` })
  assert.deepEqual(site.paths, ['/moved', '/page', '/text'])
})

test('VLT-66 The article of an item is read with its text; an item without one has none, and nobody sees that of another', async () => {
  await using site = await openSite()
  await using world = await openTestVault({ environment: { HOLDFAST_VAULT_FETCH_ALLOW: site.place } })
  const [user, stranger] = [await world.signUp(), await world.signUp()]
  const found = await enriched(world, user, { rawText: 'Read this', url: `${site.url}/page` })
  const path = `/items/${String(found['id'])}/article`
  const { status, body } = await user.call('GET', path)
  const { text, ...head } = body
  assert.deepEqual([status, head], [200, found['article']])
  assert.ok(String(text).includes('Paragraph 5'))
  const bare = await enriched(world, user, { rawText: 'no page' })
  assert.equal((await user.call('GET', `/items/${String(bare['id'])}/article`)).body.error.code, 'NOT_FOUND')
  assert.deepEqual([(await stranger.call('GET', path)).status, (await user.call('GET', '/items/x/article')).status], [404, 404])
  await user.call('DELETE', `/items/${String(found['id'])}`)
  assert.equal((await user.call('GET', path)).status, 404)
})

test('VLT-64 VLT-65 A page that cannot be had never fails the item; the article says why', async () => {
  await using site = await openSite()
  await using world = await openTestVault({ environment: { HOLDFAST_VAULT_FETCH_ALLOW: site.place } })
  const user = await world.signUp()
  for (const [url, status, code] of [
    [`${site.url}/gone`, 'failed', 'FETCH_STATUS'],
    [`${site.url}/image`, 'failed', 'FETCH_TYPE'],
    [`${site.url}/large`, 'failed', 'FETCH_TOO_LARGE'],
    [`${site.url}/loop`, 'failed', 'FETCH_ERROR'],
    [`${site.url}/empty`, 'empty', null],
    [`${site.url}/inwards`, 'blocked', 'URL_BLOCKED'],
    ['http://127.0.0.1/', 'blocked', 'URL_BLOCKED'],
    ['http://[::ffff:10.0.0.1]/', 'blocked', 'URL_BLOCKED'],
    ['http://169.254.169.254/latest/', 'blocked', 'URL_BLOCKED'],
  ] as const) {
    const found = await enriched(world, user, { rawText: 'note', url })
    const article = found['article'] as Body
    assert.deepEqual([found['status'], article['status'], article['code']], ['READY_TO_CONFIRM', status, code], url)
  }
})

test('VLT-67 Asking again leaves the item as it is; the result is a proposal', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const before = await enriched(world, user, { rawText: 'Buy milk', title: 'Mine' })
  const path = `/items/${String(before['id'])}`
  assert.equal((await user.call('POST', `${path}/enrich`)).status, 202)
  await work(world)
  const after = (await user.call('GET', path)).body
  assert.deepEqual([after['status'], after['title'], after['summary'], after['suggestedTags']], [before['status'], 'Mine', before['summary'], before['suggestedTags']])
  assert.equal((after['proposal'] as Body)['title'], 'Buy milk')
  assert.equal((await user.call('PATCH', path, { acceptProposal: true })).body['title'], 'Buy milk')
})

test('VLT-63 However much was deleted before, what is discarded is found and deleted', async () => {
  await using world = await openTestVault({ environment: { HOLDFAST_VAULT_TRASH_DAYS: '2' } })
  const user = await world.signUp()
  const captured = async (count: number) => {
    const items = Array.from({ length: count }, (_, index) => ({ rawText: `note ${index}`, enrich: false }))
    const { results } = (await user.call('POST', '/items/batch', { items })).body
    return (results as readonly Body[]).map(({ item }) => String((item as Body)['id']))
  }
  const act = async (action: string, ids: readonly string[]) => assert.equal((await user.call('POST', '/items/actions', { action, ids })).status, 200)
  const ids: string[] = []
  for (let times = 0; times < 13; times += 1) {
    const some = await captured(100)
    await act('discard', some)
    // As many tombstones as are looked at in one round, and more than that to be deleted.
    if (times < 11) await act('delete', some)
    else ids.push(...some)
  }
  world.advance(4 * 86_400_000)
  await world.server.runner.runOnce()
  world.advance(86_400_000)
  await work(world)
  const { space } = await world.scopeOf(user)
  const left = await world.server.database.read((reader) => reader.all("SELECT id FROM vault_items WHERE space = ? AND status = 'DISCARDED' AND deleted_at IS NULL", [space]))
  assert.equal(left.length, 0)
})

test('VLT-63 What was discarded long enough ago is deleted for good, once a day', async () => {
  await using site = await openSite()
  await using world = await openTestVault({ environment: { HOLDFAST_VAULT_TRASH_DAYS: '2', HOLDFAST_VAULT_FETCH_ALLOW: site.place } })
  const user = await world.signUp()
  const [old, back, fresh] = [
    await enriched(world, user, { rawText: 'old', url: `${site.url}/page` }),
    await enriched(world, user, { rawText: 'back' }),
    await enriched(world, user, { rawText: 'fresh' }),
  ]
  const discard = ({ id }: Body) => user.call('PATCH', `/items/${String(id)}`, { action: 'discard' })
  await discard(old)
  await discard(back)
  await user.call('POST', `/items/${String(back['id'])}/restore`)
  world.advance(2 * 86_400_000)
  const later = await world.server.signIn(user.email)
  const asked = (method: string, { id }: Body, body?: object) => world.send({ method, path: `/vault/items/${String(id)}`, headers: later.headers, ...(body === undefined ? {} : { body }) })
  await asked('PATCH', fresh, { action: 'discard' })
  const { cursor } = (await world.send({ method: 'GET', path: '/api/v1/vault/pull', headers: later.headers })).body
  world.advance(86_400_000)
  await work(world)
  const again = await world.server.signIn(user.email)
  const statusOf = async ({ id }: Body) => (await world.send({ method: 'GET', path: `/vault/items/${String(id)}`, headers: again.headers })).status
  assert.deepEqual([await statusOf(old), await statusOf(back), await statusOf(fresh)], [404, 200, 200])
  const pulled = (await world.send({ method: 'GET', path: `/api/v1/vault/pull?cursor=${String(cursor)}`, headers: again.headers })).body['changes'] as readonly Body[]
  assert.deepEqual(
    pulled.flatMap(({ collection, id, data }) => (data === null ? [[collection, id === old['id']]] : [])).toSorted((one, other) => String(one[0]).localeCompare(String(other[0]))),
    [
      ['articles', true],
      ['items', true],
    ],
  )
})
