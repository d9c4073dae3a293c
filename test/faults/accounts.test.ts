import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSite } from './serve-process.ts'

test('CLI-8 Accounts, keys and sample data are made while the server runs, once', async () => {
  await using site = await openSite()
  await site.serve()
  const first = await site.holdfast('user', 'add', '--email', 'ada@example.org', '--json')
  const made = JSON.parse(first.out) as { id: string; email: string; password?: string }
  assert.equal(made.email, 'ada@example.org')
  const again = JSON.parse((await site.holdfast('user', 'add', '--email', 'Ada@example.org', '--json')).out) as typeof made
  assert.deepEqual([again.id, again.password], [made.id, undefined])
  const login = () => site.request('/api/v1/auth/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email: made.email, password: made.password }) })
  const { accessToken } = (await (await login()).json()) as { accessToken: string }
  const seed = async () => JSON.parse((await site.holdfast('seed', '--app', 'journal', '--user', 'ada@example.org', '--json')).out) as object
  assert.deepEqual(await seed(), await seed())
  const pulled = await site.request('/api/v1/journal/pull', { headers: { authorization: `Bearer ${accessToken}` } })
  const { changes } = (await pulled.json()) as { changes: { collection: string }[] }
  assert.equal(changes.filter((change) => change.collection === 'content').length, 10)
})

test('CLI-9 Apps that are not run, accounts that are not there and spaces of the wrong kind are said so', async () => {
  await using site = await openSite()
  await site.holdfast('user', 'add', '--email', 'ada@example.org')
  for (const [args, says] of [
    [['key', 'add', '--app', 'jurnal', '--user', 'ada@example.org', '--name', 'x', '--role', 'viewer'], /journal/],
    [['key', 'add', '--app', 'journal', '--user', 'eve@example.org', '--name', 'x', '--role', 'viewer'], /no such account/],
    [['key', 'add', '--app', 'journal', '--name', 'x', '--role', 'viewer'], /personal/],
    [['user', 'add', '--email', 'bob@example.org', '--app', 'journal', '--space', 'north', '--role', 'editor'], /personal/],
    [['seed', '--app', 'journal', '--user', 'eve@example.org'], /eve@example\.org|account/],
  ] as const) {
    const { code, err } = await site.holdfast(...args)
    assert.notEqual(code, 0, args.join(' '))
    assert.match(err, says, args.join(' '))
  }
})
