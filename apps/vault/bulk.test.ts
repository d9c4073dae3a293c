import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idsOf, keep } from './library.fixture.ts'
import { openTestVault, type Body, type TestUser } from './open-test-vault.ts'

interface Row {
  readonly index: number
  readonly id: string
  readonly ok: boolean
  readonly status: number | string
  readonly item?: { readonly id: string; readonly status: string; readonly rawText: string; readonly tags: readonly { readonly name: string }[] }
  readonly error?: { readonly code: string; readonly requestId: string; readonly details: unknown }
}

const rowsOf = (body: Body) => body['results'] as unknown as readonly Row[]

async function pending(user: TestUser): Promise<string[]> {
  return idsOf((await user.call('GET', '/items/pending')).body)
}

test('VLT-70 Of a batch the valid rows are captured together, the others are reported by index', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { there: { rawText: 'there' } })
  const [tag] = (await user.call('POST', '/tags', { name: 'Tag' }), (await user.call('GET', '/tags')).body['tags']) as readonly { readonly id: string }[]
  const before = (await user.call('GET', '/api/v1/vault/pull')).body['cursor']
  const items = [
    { rawText: ' one ', id: 'one', tagIds: [tag?.id] },
    { rawText: '' },
    { url: 'https://example.org', enrich: false, title: 'Mine' },
    'text',
    null,
    { rawText: 'two', tagIds: ['none'] },
    { rawText: 'there', id: 'there' },
    { rawText: 'other', id: 'there' },
    { rawText: 'one', id: 'one' },
    { rawText: 'a', id: 'no id!' },
    { rawText: 'x'.repeat(10_001) },
    { rawText: 'last', status: 'ARCHIVED' },
  ]
  const { status, body, headers } = await user.call('POST', '/items/batch', { items })
  assert.equal(status, 200)
  assert.deepEqual(
    rowsOf(body).map(({ index, status: code, item, error }) => [index, code, error?.code ?? item?.status]),
    [
      [0, 201, 'ENRICHING'],
      [1, 400, 'VALIDATION_ERROR'],
      [2, 201, 'ARCHIVED'],
      [3, 400, 'INVALID_REQUEST'],
      [4, 400, 'INVALID_REQUEST'],
      [5, 400, 'VALIDATION_ERROR'],
      [6, 200, 'ARCHIVED'],
      [7, 409, 'DUPLICATE_REQUEST'],
      [8, 200, 'ENRICHING'],
      [9, 400, 'VALIDATION_ERROR'],
      [10, 400, 'VALIDATION_ERROR'],
      [11, 201, 'ENRICHING'],
    ],
  )
  const [first, second] = rowsOf(body)
  assert.deepEqual([first?.item?.rawText, first?.item?.tags.map(({ name }) => name), second?.error?.requestId], ['one', ['Tag'], headers['x-request-id']])
  assert.deepEqual(first?.item, (await user.call('GET', '/items/one')).body)
  const { changes } = (await user.call('GET', `/api/v1/vault/pull?cursor=${String(before)}`)).body as unknown as { changes: { collection: string }[] }
  assert.deepEqual([changes.filter(({ collection }) => collection === 'items').length, (await pending(user)).length], [3, 2])
  const [jobs] = await world.server.database.read((reader) => reader.all<{ count: number }>('SELECT count(*) AS count FROM holdfast_jobs'))
  assert.equal(jobs?.count, 2)
})

test('VLT-70 A batch that is none is refused; with a key it has one effect and one answer', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  for (const wrong of [{}, { items: [] }, { items: 'a' }, { items: {} }, { items: Array.from({ length: 101 }, () => ({ rawText: 'a' })) }]) {
    const { status, body } = await user.call('POST', '/items/batch', wrong)
    assert.deepEqual([status, body.error.code], [400, 'VALIDATION_ERROR'])
  }
  const send = (items: readonly unknown[]) => user.call('POST', '/items/batch', { items }, { 'idempotency-key': 'one' })
  const answers = await Promise.all([send([{ rawText: 'a' }, {}]), send([{ rawText: 'a' }, {}]), send([{ rawText: 'a' }, {}])])
  assert.deepEqual(new Set(answers.map(({ body }) => JSON.stringify(rowsOf(body).map(({ status, item }) => [status, item?.id])))).size, 1)
  assert.equal(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true').length, 2)
  assert.equal((await pending(user)).length, 1)
  const large = { items: Array.from({ length: 100 }, () => ({ rawText: '𠀀'.repeat(10_000) })) }
  assert.ok(rowsOf((await user.call('POST', '/items/batch', large)).body).every(({ status }) => status === 201))
  assert.equal((await user.call('POST', '/items/batch', { items: [{ rawText: 'x'.repeat(10_485_760) }] })).status, 413)
})

test('VLT-70 One action on many items has an outcome for each, by the table of states', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  await keep(user, { kept: {}, twice: {} })
  await user.call('POST', '/items', { id: 'waiting', rawText: 'waiting' })
  const stranger = await world.signUp()
  await keep(stranger, { his: {} })
  const act = async (action: string, ids: readonly string[]) => {
    const { status, body } = await user.call('POST', '/items/actions', { action, ids })
    assert.equal(status, 200)
    assert.deepEqual(rowsOf(body).map(({ id }) => id), ids) // prettier-ignore
    return rowsOf(body).map(({ ok, status: state, error }) => (ok ? (state ?? 'gone') : error?.code))
  }
  assert.deepEqual(await act('discard', ['kept', 'waiting', 'his', 'none', 'no id!', 'twice', 'twice']), [
    'DISCARDED',
    'INVALID_STATE_TRANSITION',
    'NOT_FOUND',
    'NOT_FOUND',
    'NOT_FOUND',
    'DISCARDED',
    'INVALID_STATE_TRANSITION',
  ])
  assert.deepEqual(await act('cancel', ['waiting', 'kept']), ['FAILED', 'INVALID_STATE_TRANSITION'])
  assert.deepEqual(await act('retry', ['waiting', 'kept']), ['ENRICHING', 'INVALID_STATE'])
  assert.deepEqual(await act('cancel', ['waiting']), ['FAILED'])
  assert.deepEqual(await act('archive', ['waiting', 'none']), ['ARCHIVED', 'NOT_FOUND'])
  assert.deepEqual(await act('confirm', ['waiting']), ['INVALID_STATE_TRANSITION'])
  assert.deepEqual(await act('restore', ['kept', 'twice']), ['ARCHIVED', 'ARCHIVED'])
  assert.deepEqual(await act('delete', ['kept', 'none', 'his', 'kept']), ['gone', 'NOT_FOUND', 'NOT_FOUND', 'gone'])
  assert.deepEqual(await act('delete', ['kept']), ['gone'])
  assert.deepEqual(idsOf((await user.call('GET', '/library')).body).toSorted(), ['twice', 'waiting'])
  assert.deepEqual(idsOf((await stranger.call('GET', '/library')).body), ['his'])
  for (const wrong of [
    {},
    { action: 'edit', ids: ['a'] },
    { action: 'explode', ids: ['a'] },
    { action: 'discard' },
    { action: 'discard', ids: [] },
    { action: 'discard', ids: [5] },
    { action: 'discard', ids: Array.from({ length: 201 }, () => 'a') },
  ]) {
    const { status, body } = await user.call('POST', '/items/actions', wrong)
    assert.deepEqual([status, body.error.code], [400, 'VALIDATION_ERROR'], JSON.stringify(wrong))
  }
})
