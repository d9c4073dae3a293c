import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openSite, type Site } from './serve-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function signUp(site: Site): Promise<(path: string, body?: object) => Promise<{ status: number; body: Record<string, never> }>> {
  const json = { 'content-type': 'application/json' }
  const answer = await site.request('/api/v1/auth/register', { method: 'POST', headers: json, body: JSON.stringify({ email: 'ada@example.org', password: 'correct horse' }) })
  const { accessToken } = (await answer.json()) as { accessToken: string }
  return async (path, body) => {
    const reply = await site.request(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...json, authorization: `Bearer ${accessToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: reply.status, body: (await reply.json()) as Record<string, never> }
  }
}

const note = (id: string) => ({ collection: 'content', id, op: 'put', base: 0, data: { type: 'TEXT', content: id, writtenAt: 1, lastUpdated: 1 } })

test('SERVE-3 SERVE-4 The first start prints the link once; a second server is refused; SIGTERM ends cleanly; what is secret is for its owner alone', async () => {
  await using site = await openSite()
  await site.serve()
  const second = await site.holdfast('serve')
  assert.equal(second.code, 1)
  assert.match(second.err, /uses the data folder/)
  if (process.platform !== 'win32') {
    assert.equal(statSync(site.data).mode & 0o777, 0o700)
    assert.equal(statSync(join(site.data, 'secret')).mode & 0o777, 0o600)
  }
  assert.equal(await site.end('SIGTERM'), 0)
  const link = /\/account\/setup#token=(\S+)/.exec(site.said())
  assert.ok(link !== null, site.said())
  await site.serve()
  const body = JSON.stringify({ token: link[1], email: 'root@example.org', password: 'correct horse' })
  const setUp = () => site.request('/api/v1/auth/setup', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  assert.equal((await setUp()).status, 201)
  assert.equal((await setUp()).status, 400)
  await site.end('SIGTERM')
  assert.match(site.said(), /no admin/)
  assert.doesNotMatch(site.said(), /#token=/)
  await site.serve()
  await site.end('SIGTERM')
  assert.doesNotMatch(site.said(), /no admin/)
})

test('SERVE-5 Every problem of the configuration is listed at once, and nothing is started', async () => {
  await using site = await openSite({ HOLDFAST_PORT: 'eighty', HOLDFAST_REGISTRATION: 'maybe', HOLDFAST_APPS: 'jurnal', HOLDFAST_LOG_LEVEL: 'loud' })
  const { code, err } = await site.holdfast('serve')
  assert.equal(code, 1)
  for (const named of ['HOLDFAST_PORT', 'HOLDFAST_REGISTRATION', 'HOLDFAST_APPS', 'did you mean journal', 'HOLDFAST_LOG_LEVEL']) assert.ok(err.includes(named), `${named}: ${err}`)
  assert.ok(!existsSync(site.data))
})

test('CLI-1 Wrong calls are told what is near, with exit code 2', async () => {
  await using site = await openSite()
  for (const [args, says] of [
    [['srve'], /Did you mean serve\?/],
    [['user'], /user add/],
    [['user', 'add', '--emial', 'a@b.cd'], /--email/],
    [['backup'], /--to/],
    [['key', 'add', '--app', 'journal', '--name', 'x', '--role', 'king'], /viewer/],
    [[], /Commands|serve/],
  ] as const) {
    const { code, out, err } = await site.holdfast(...args)
    assert.equal(code, 2, args.join(' '))
    assert.match(out + err, says, args.join(' '))
  }
  const help = await site.holdfast('backup', '--help')
  assert.equal(help.code, 0)
  assert.match(help.out, /--to/)
})

test('CLI-2 CLI-3 A backup is written beside a writing server; restored, it sends devices back to the start and gives no version twice', async () => {
  await using site = await openSite()
  await site.serve()
  const ask = await signUp(site)
  await ask('/api/v1/journal/push', { mutations: Array.from({ length: 500 }, (_, index) => note(`before-${index}`)) })
  const file = join(site.folder, 'backup.db')
  const writing = ask('/api/v1/journal/push', { mutations: Array.from({ length: 500 }, (_, index) => note(`during-${index}`)) })
  const backup = await site.holdfast('backup', '--to', file)
  assert.equal(backup.code, 0, backup.err)
  await writing
  assert.equal((await site.holdfast('backup', '--to', file)).code, 1, 'a file is never overwritten')
  const lost = await ask('/api/v1/journal/push', { mutations: [note('lost')] })
  const late = await ask('/api/v1/journal/pull?limit=1000')
  const last = await ask(`/api/v1/journal/pull?limit=1000&cursor=${String(late.body['cursor'])}`)
  const cursor = String(last.body['cursor'])
  assert.equal((await site.holdfast('restore', '--from', file)).code, 1, 'not while a server runs')
  await site.end('SIGTERM')
  const restore = await site.holdfast('restore', '--from', file)
  assert.equal(restore.code, 0, restore.err)
  assert.ok(readdirSync(site.data).some((name) => name.startsWith('holdfast.db.before-')))
  await site.serve()
  const refused = await ask(`/api/v1/journal/pull?cursor=${cursor}`)
  assert.deepEqual([refused.status, refused.body['code'], refused.body['reason']], [410, 'resync_required', 'epoch'])
  const ids = new Set<string>()
  for (let at = '', more = true; more;) {
    const page = await ask(`/api/v1/journal/pull?limit=1000${at}`)
    for (const { id } of page.body['changes'] as unknown as { id: string }[]) ids.add(id)
    at = `&cursor=${String(page.body['cursor'])}`
    more = page.body['more'] === true
  }
  assert.ok(ids.has('before-499') && !ids.has('lost'))
  const written = await ask('/api/v1/journal/push', { mutations: [note('after')] })
  assert.ok(Number(written.body['version']) > Number(lost.body['version']))
  assert.equal((await site.holdfast('audit', 'verify')).code, 0)
})

test('CLI-3 A damaged backup is refused and nothing is changed', async () => {
  await using site = await openSite()
  await site.holdfast('user', 'add', '--email', 'ada@example.org')
  const file = join(site.folder, 'backup.db')
  await site.holdfast('backup', '--to', file)
  const database = new DatabaseSync(file)
  database.exec("UPDATE holdfast_users SET email = 'eve@example.org'")
  database.close()
  const { code, err } = await site.holdfast('restore', '--from', file)
  assert.equal(code, 1)
  assert.match(err, /nothing was changed/)
  assert.ok(!readdirSync(site.data).some((name) => name.includes('before')))
})

test('CLI-4 CLI-6 A key made by the command works at once; a log that was changed by hand is found', async () => {
  await using site = await openSite()
  await site.holdfast('user', 'add', '--email', 'ada@example.org')
  const { out, err } = await site.holdfast('key', 'add', '--app', 'journal', '--user', 'ada@example.org', '--name', 'script', '--role', 'editor', '--json')
  const made = JSON.parse(out) as { id: string; key: string }
  assert.deepEqual(Object.keys(made), ['id', 'key'], err)
  await site.serve()
  const push = await site.request('/api/v1/journal/push', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': made.key },
    body: JSON.stringify({ mutations: [note('a'), note('b')] }),
  })
  assert.equal(push.status, 200)
  await site.end('SIGTERM')
  assert.equal((await site.holdfast('doctor')).code, 0)
  const database = new DatabaseSync(join(site.data, 'holdfast.db'))
  database.exec("UPDATE holdfast_changes SET changes = replace(changes, '\"a\"', '\"z\"') WHERE entity_id = 'a'")
  database.close()
  for (const command of [['audit', 'verify'], ['doctor']]) {
    const found = await site.holdfast(...command)
    assert.equal(found.code, 1)
    assert.match(found.out, /broken at entry|BROKEN at entry/i)
  }
})

test('CLI-5 A new project runs, and a folder that is not empty is left alone', async () => {
  await using site = await openSite({ HOLDFAST_APPS: '' })
  const project = join(site.folder, 'project')
  assert.equal((await site.holdfast('init', project)).code, 0)
  assert.equal((await site.holdfast('init', project)).code, 1)
  const { dependencies, allowScripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { readonly dependencies: Readonly<Record<string, string>>; readonly allowScripts: object }
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly devDependencies: Readonly<Record<string, string>> }
  assert.deepEqual([dependencies['node'], allowScripts], [devDependencies['node'], { node: true }], 'it brings the runtime that all of this is tested on')
  // What `npm install` would put there.
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(root, join(project, 'node_modules', 'holdfast'))
  symlinkSync(dirname(createRequire(import.meta.url).resolve('zod/package.json')), join(project, 'node_modules', 'zod'))
  const migrated = await site.holdfast('migrate', '--config', join(project, 'holdfast.config.ts'))
  assert.equal(migrated.code, 0, migrated.err)
  const database = new DatabaseSync(join(site.data, 'holdfast.db'), { readOnly: true })
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'notes_notes'").all()
  database.close()
  assert.equal(tables.length, 1)
})

const NODE_MIN = 24
/** A Node of this machine's own that is too old; undefined where there is none. */
const oldNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find(isOld)

test('CLI-10 A Node that is too old is told which one is needed, and how to come by it', { skip: oldNode === undefined ? 'no older Node on this machine' : false }, () => {
  const { status, stderr } = spawnSync(oldNode ?? '', [join(root, 'src/cli/holdfast.js'), 'serve'], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /needs Node 24 or newer; this is \d+\.\d+\.\d+\..*npm install node@24/)
  assert.doesNotMatch(stderr, /^\s+at /m)
})

function isOld(program: string): boolean {
  return existsSync(program) && Number.parseInt(spawnSync(program, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout, 10) < NODE_MIN
}
