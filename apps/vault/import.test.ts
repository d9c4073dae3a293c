import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idsOf, keep } from './library.fixture.ts'
import { openTestVault, type Answer, type TestUser } from './open-test-vault.ts'

interface Row {
  readonly line: number
  readonly status: string
  readonly id: string | null
  readonly error: { readonly code: string } | null
}

function importFile(user: TestUser, type: string, file: string, query = ''): Promise<Answer> {
  return user.call('POST', `/items/import${query}`, file, { 'content-type': type })
}

async function imported(user: TestUser, type: string, file: string, query = ''): Promise<{ readonly counts: string; readonly rows: readonly Row[] }> {
  const { status, body } = await importFile(user, type, file, query)
  assert.equal(status, 200, JSON.stringify(body))
  return { counts: `${String(body['created'])} ${String(body['duplicates'])} ${String(body['failed'])}`, rows: body['rows'] as unknown as readonly Row[] }
}

const told = (rows: readonly Row[]) => rows.map(({ line, status }) => `${line} ${status}`)

test('VLT-70 Lines are captured one by one; what is there already, or twice in the file, is a duplicate, what is wrong has its reason', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { note: { rawText: 'known note' }, page: { rawText: 'a page', url: 'https://Example.org/a/?utm_source=x' }, gone: { rawText: 'gone note' } })
  await user.call('PATCH', '/items/gone', { action: 'discard' })
  const file = [
    'new note',
    ' known note ',
    '',
    'https://example.org/a#part',
    'http://example.org/b',
    'HTTP://EXAMPLE.org:80/b/',
    'new note',
    'gone note',
    'x'.repeat(10_001),
    'nul \0 text',
    "'; DROP TABLE vault_items; --",
  ].join('\r\n')
  const { counts, rows } = await imported(user, 'text/plain; charset=utf-8', `\uFEFF${file}`)
  assert.equal(counts, '4 4 2')
  assert.deepEqual(told(rows), ['1 created', '2 duplicate', '4 duplicate', '5 created', '6 duplicate', '7 duplicate', '8 created', '9 failed', '10 failed', '11 created'])
  assert.deepEqual([rows[1]?.id, rows[2]?.id, rows[4]?.id, rows[5]?.id], ['note', 'page', rows[3]?.id, rows[0]?.id])
  assert.deepEqual([rows[7]?.error?.code, rows[7]?.id, rows[0]?.error], ['VALIDATION_ERROR', null, null])
  const { body } = await user.call('GET', `/items/${rows[0]?.id}`)
  assert.deepEqual([body['rawText'], body['status']], ['new note', 'ENRICHING'])
  assert.equal((await imported(user, 'text/plain', file)).counts, '0 8 2')
  const stranger = await world.signUp()
  assert.equal((await imported(stranger, 'text/plain', 'known note')).counts, '1 0 0')
})

test('VLT-70 Bookmarks and tables bring title, tags and time; enrich=false puts them into the library', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const page = `<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><p>
<DT><A HREF="https://example.org/one" ADD_DATE="1600000000" TAGS="Reading,later">One &amp; only</A>
<DT><A HREF="javascript:alert(1)">No page</A>
<DT><A HREF="https://example.org/two">${'t'.repeat(300)}</A></DL>`
  const { counts, rows } = await imported(user, 'text/html', page, '?enrich=false')
  assert.equal(counts, '2 0 1')
  assert.deepEqual(told(rows), ['2 created', '3 failed', '4 created'])
  const { body } = await user.call('GET', `/items/${rows[0]?.id}`)
  assert.deepEqual(
    [body['rawText'], body['url'], body['title'], body['status'], body['capturedAt']],
    ['https://example.org/one', 'https://example.org/one', 'One & only', 'ARCHIVED', '2020-09-13T12:26:40.000Z'],
  )
  assert.deepEqual((body['tags'] as readonly { name: string }[]).map(({ name }) => name), ['Reading', 'later']) // prettier-ignore
  assert.equal((await user.call('GET', `/items/${rows[2]?.id}`)).body['title'], 't'.repeat(255))
  const table = 'text,url,title,tags\n"two\nlines",https://example.org/three,Three,"reading;new"\n,https://example.org/two,,\nonly text,,,\n,,no text,\nx,ftp://example.org,,\n'
  const csv = await imported(user, 'text/csv', table, '?enrich=false')
  assert.deepEqual(told(csv.rows), ['2 created', '4 duplicate', '5 created', '6 failed', '7 failed'])
  const third = (await user.call('GET', `/items/${csv.rows[0]?.id}`)).body
  assert.deepEqual([third['rawText'], third['url'], third['title']], ['two\nlines', 'https://example.org/three', 'Three'])
  assert.deepEqual((third['tags'] as readonly { name: string }[]).map(({ name }) => name), ['Reading', 'new']) // prettier-ignore
  assert.equal(idsOf((await user.call('GET', '/library')).body).length, 4)
  const jobs = await world.server.database.read((reader) => reader.all('SELECT id FROM holdfast_jobs'))
  assert.deepEqual(jobs, [])
})

test('VLT-70 Two imports of one file at once make each item once; what was deleted or discarded is made anew', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const file = Array.from({ length: 450 }, (_, index) => `note ${index}\nhttps://example.org/${index}`).join('\n')
  const both = await Promise.all([imported(user, 'text/plain', file), imported(user, 'text/plain', file)])
  const made = both.flatMap(({ rows }) => rows).filter(({ status }) => status === 'created')
  assert.equal(made.length, 900)
  assert.deepEqual(
    both[0].rows.map(({ id }) => id),
    both[1].rows.map(({ id }) => id),
  )
  const [first, second] = both[0].rows
  await user.call('DELETE', `/items/${first?.id}`)
  await user.call('POST', '/items/actions', { action: 'cancel', ids: [second?.id] })
  await user.call('PATCH', `/items/${second?.id}`, { action: 'discard' })
  const again = await imported(user, 'text/plain', file)
  assert.equal(again.counts, '2 898 0')
  assert.ok(again.rows[0]?.id !== first?.id && again.rows[1]?.id !== second?.id)
  await imported(user, 'text/plain', 'one that changes', '?enrich=false')
  const [changed] = (await user.call('GET', '/library')).body['items'] as readonly { readonly id: string }[]
  await user.call('PATCH', `/items/${changed?.id}`, { rawText: 'something else' })
  assert.equal((await imported(user, 'text/plain', 'one that changes\nsomething else')).counts, '1 1 0')
})

test('VLT-70 A file that cannot be read is refused and leaves nothing behind', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  for (const [type, file, status, code] of [
    ['text/csv', 'a,b\n1,2', 400, 'VALIDATION_ERROR'],
    ['text/csv', 'text\n"open', 400, 'VALIDATION_ERROR'],
    ['text/html', '<b>'.repeat(1_000), 400, 'VALIDATION_ERROR'],
    ['text/plain', 'a\n'.repeat(50_001), 400, 'VALIDATION_ERROR'],
    ['application/json', '{"a":1}', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['application/xml', '<a/>', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['text/plain', 'x'.repeat(10_485_761), 413, 'PAYLOAD_TOO_LARGE'],
  ] as const) {
    const answer = await importFile(user, type, file)
    assert.deepEqual([answer.status, answer.body.error.code], [status, code], `${type} ${file.slice(0, 20)}`)
  }
  const broken = await world.server.http.inject({ method: 'POST', url: '/vault/items/import', payload: Buffer.from([0x61, 0xff, 0xfe]), headers: { ...user.headers, 'content-type': 'text/plain' } })
  assert.equal(broken.statusCode, 400)
  assert.equal((await importFile(user, 'text/plain', 'a', '?enrich=maybe')).status, 400)
  assert.equal((await imported(user, 'text/plain', '')).counts, '0 0 0')
  assert.deepEqual(idsOf((await user.call('GET', '/items/pending')).body), [])
})
