import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chmodSync, chownSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openSite, type Site } from './serve-process.ts'

const program = fileURLToPath(new URL('../../src/cli/holdfast.js', import.meta.url))

/** An account of the machine that owns nothing: root writes wherever it likes. */
const NOBODY = 65_534

interface Started {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the program, as somebody else if wished, and ends it with `stopAt` when that text appears on stdout. */
async function start(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  options: { readonly stopAt?: string; readonly signal?: NodeJS.Signals; readonly account?: number; readonly folder?: string } = {},
): Promise<Started> {
  const { account, stopAt } = options
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], HOLDFAST_APPS: 'journal', HOLDFAST_PORT: '0', ...environment },
    cwd: options.folder ?? tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(account === undefined ? {} : { uid: account, gid: account }),
  })
  let [out, err, told] = ['', '', false]
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8')
    if (stopAt !== undefined && !told && out.includes(stopAt)) told = child.kill(options.signal ?? 'SIGTERM')
  })
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-start-'))
  // Another account may have to reach what lies in it.
  await chmod(folder, 0o755)
  return { folder, data: join(folder, 'data'), [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

/** A refusal that an operator understands: exit code 1, what was said, and no stack. */
function assertRefused({ code, out, err }: Started, says: RegExp): void {
  assert.equal(code, 1, out + err)
  assert.match(err, says)
  assert.doesNotMatch(err, /^\s+at /m, 'a stack')
  assert.doesNotMatch(out, /"listening"/)
}

const isRoot = process.getuid?.() === 0
const isWindows = process.platform === 'win32'

/** True when another account can run the program from where it lies. */
function canRunAsNobody(): boolean {
  try {
    accessSync(program, constants.R_OK)
    for (let path = program; path !== '/'; path = join(path, '..')) if ((statSync(path).mode & 0o005) === 0) return false
    return isRoot
  } catch {
    return false
  }
}

test('SERVE-10 A start that nobody watches says on stdout, in JSON, that it listens and where; people are told on stderr', async () => {
  await using place = await openFolder()
  const { code, out, err } = await start(['serve'], { HOLDFAST_DATA: place.data, HOLDFAST_PROT: '1' }, { stopAt: '"listening"' })
  assert.equal(code, 0, err)
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const ready = lines.find(({ msg }) => msg === 'listening')
  assert.match(String(ready?.['url']), /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.deepEqual(ready?.['apps'], ['journal'])
  assert.equal(lines.filter(({ msg }) => /listening/i.test(String(msg))).length, 1, 'said once')
  assert.ok(lines.some(({ msg, level }) => level === 40 && /did you mean HOLDFAST_PORT/.test(String(msg))))
  assert.equal(lines.at(-1)?.['msg'], 'stopped')
  const [, token] = /#token=(\S+)/.exec(err) ?? []
  assert.ok(token !== undefined && !out.includes(token), 'the link is for people and not for the log')
  assert.doesNotMatch(err, /Warning/, 'nothing of the runtime in between')
})

test('SERVE-3 A request that runs when the server is told to stop is answered; new ones are not taken; the exit code is 0', async () => {
  await using site = await openSite()
  await site.serve()
  const body = JSON.stringify({ email: 'ada@example.org', password: 'correct horse' })
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1')
  await once(socket, 'connect')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('utf8')))
  const closed = once(socket, 'close')
  socket.write(`POST /api/v1/auth/register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`)
  // The server has begun with the request when it asks for the body.
  await once(socket, 'data')
  const ended = site.end('SIGTERM')
  socket.write(body.slice(0, 5))
  while (await canConnect(site)) await new Promise((resolve) => setImmediate(resolve))
  socket.write(body.slice(5))
  await closed
  assert.match(answer, /HTTP\/1\.1 201/)
  assert.equal(await ended, 0)
})

test('SERVE-3 A second signal ends the process at once', async () => {
  await using site = await openSite()
  await site.serve()
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.write('POST /api/v1/auth/register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n')
  await once(socket, 'data')
  const ended = site.end('SIGTERM')
  while (await canConnect(site)) await new Promise((resolve) => setImmediate(resolve))
  site.signal('SIGINT')
  assert.equal(await ended, 1)
  socket.destroy()
})

function canConnect(site: Site): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(Number(new URL(site.url).port), '127.0.0.1')
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
    probe.once('connect', () => probe.destroy())
  })
}

test('SERVE-9 A taken port is said so, and the data folder is free again', async () => {
  await using place = await openFolder()
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const refused = await start(['serve'], { HOLDFAST_DATA: place.data, HOLDFAST_PORT: String(port) })
  taken.close()
  assertRefused(refused, new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is taken.*HOLDFAST_PORT`))
  assert.equal((await start(['serve'], { HOLDFAST_DATA: place.data }, { stopAt: '"listening"' })).code, 0)
})

test('SERVE-9 An address that the machine does not have is said so', async () => {
  await using place = await openFolder()
  assertRefused(await start(['serve'], { HOLDFAST_DATA: place.data, HOLDFAST_HOST: '192.0.2.1' }), /no address 192\.0\.2\.1.*HOLDFAST_HOST/)
})

test('SERVE-9 A database that a newer version wrote is refused as it is', async () => {
  await using place = await openFolder()
  await start(['migrate'], { HOLDFAST_DATA: place.data })
  const file = join(place.data, 'holdfast.db')
  const database = new DatabaseSync(file)
  database.exec("INSERT INTO holdfast_migrations (name, applied_at) VALUES ('platform/9999-from-the-future', 1)")
  database.close()
  for (const command of [['serve'], ['migrate'], ['user', 'add', '--email', 'a@b.example']]) assertRefused(await start(command, { HOLDFAST_DATA: place.data }), /newer version.*9999-from-the-future/)
  const after = new DatabaseSync(file, { readOnly: true })
  assert.equal(after.prepare('SELECT count(*) AS count FROM holdfast_users').get()?.['count'], 0)
  after.close()
})

test('SERVE-9 A file that is no database, or a damaged one, is refused and left as it is', async () => {
  await using place = await openFolder()
  mkdirSync(place.data, { mode: 0o700 })
  const file = join(place.data, 'holdfast.db')
  const text = 'this is a text and no database. '.repeat(400)
  writeFileSync(file, text)
  assertRefused(await start(['serve'], { HOLDFAST_DATA: place.data }), /is not a SQLite database/)
  assert.equal(statSync(file).size, text.length)
})

test('SERVE-9 An unreachable PostgreSQL is said so, without its password', async () => {
  await using place = await openFolder()
  const refused = await start(['migrate'], { HOLDFAST_DATA: place.data, HOLDFAST_DATABASE_URL: 'postgres://ada:hunter2@127.0.0.1:1/notes' })
  assertRefused(refused, /notes on 127\.0\.0\.1.*HOLDFAST_DATABASE_URL/)
  assert.ok(!refused.err.includes('hunter2'))
})

test('SERVE-9 A folder that this account may not write to is refused with what to do, for a new and an old data folder', { skip: isWindows || (isRoot && !canRunAsNobody()) }, async () => {
  await using place = await openFolder()
  const account = isRoot ? { account: NOBODY } : {}
  const closed = join(place.folder, 'closed')
  mkdirSync(closed, { mode: 0o555 })
  assertRefused(await start(['serve'], { HOLDFAST_DATA: join(closed, 'data') }, account), /cannot be written to by this account.*HOLDFAST_DATA/)
  assertRefused(await start(['serve'], { HOLDFAST_DATA: closed }, account), /cannot be written to by this account/)
  assert.deepEqual(readdirSync(closed), [])
})

test('SERVE-9 A database file that this account may not write to is refused with what to do', { skip: isWindows || (isRoot && !canRunAsNobody()) }, async () => {
  await using place = await openFolder()
  const account = isRoot ? { account: NOBODY } : {}
  if (isRoot) chownSync(place.folder, NOBODY, NOBODY)
  assert.equal((await start(['migrate'], { HOLDFAST_DATA: place.data }, account)).code, 0)
  chmodSync(join(place.data, 'holdfast.db'), 0o444)
  assertRefused(await start(['serve'], { HOLDFAST_DATA: place.data }, account), /holdfast\.db cannot be written to/)
})

test('SERVE-8 A server runs under any account, with a data folder of its own', { skip: !canRunAsNobody() }, async () => {
  await using place = await openFolder()
  chownSync(place.folder, NOBODY, NOBODY)
  const { code, err } = await start(['serve'], { HOLDFAST_DATA: place.data }, { account: NOBODY, stopAt: '"listening"' })
  assert.equal(code, 0, err)
  const { uid, mode } = statSync(join(place.data, 'secret'))
  assert.deepEqual([uid, mode & 0o777], [NOBODY, 0o600])
  // Root may read everything, so it may serve the folder as well.
  assert.equal((await start(['serve'], { HOLDFAST_DATA: place.data }, { stopAt: '"listening"' })).code, 0)
})

test('SERVE-12 Of servers that start at once on one data folder one runs, and the others name it', async () => {
  await using place = await openFolder()
  const children = Array.from({ length: 3 }, () =>
    spawn(process.execPath, [program, 'serve'], { env: { PATH: process.env['PATH'], HOLDFAST_DATA: place.data, HOLDFAST_PORT: '0', HOLDFAST_APPS: 'journal' }, stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  let running = 0
  const ended = await Promise.all(
    children.map(async (child) => {
      let err = ''
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')))
      child.stdout.on('data', (chunk: Buffer) => {
        if (!chunk.includes('"listening"')) return
        running += 1
        // It stays until the others have given up.
        void Promise.all(children.filter((other) => other !== child && other.exitCode === null).map((other) => once(other, 'close'))).then(() => child.kill('SIGTERM'))
      })
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, err }
    }),
  )
  assert.equal(running, 1)
  assert.deepEqual(ended.map(({ code }) => String(code)).toSorted(), ['0', '1', '1'])
  for (const { code, err } of ended) if (code === 1) assert.match(err, /uses the data folder/)
})

test('SERVE-12 Commands that start at once on an empty folder make one secret and one database', async () => {
  await using place = await openFolder()
  const ended = await Promise.all(Array.from({ length: 4 }, (_, index) => start(['user', 'add', '--email', `user${index}@b.example`, '--json'], { HOLDFAST_DATA: place.data })))
  for (const { code, err } of ended) assert.equal(code, 0, err)
  assert.deepEqual(
    readdirSync(place.data).filter((name) => name.startsWith('secret')),
    ['secret'],
  )
  const database = new DatabaseSync(join(place.data, 'holdfast.db'), { readOnly: true })
  assert.equal(database.prepare('SELECT count(*) AS count FROM holdfast_users').get()?.['count'], 4)
  assert.equal(database.prepare("SELECT count(*) AS count FROM holdfast_migrations WHERE name = 'platform/0001-platform'").get()?.['count'], 1)
  database.close()
})

test('SERVE-5 A server whose configuration is wrong makes no data folder', async () => {
  await using place = await openFolder()
  assertRefused(
    await start(['serve'], { HOLDFAST_DATA: place.data, HOLDFAST_HOST: '0.0.0.0', HOLDFAST_RATE_LIMITS: 'off', HOLDFAST_JOURNAL_MAX_BATCH: 'many' }),
    /2 problems[^]*HOLDFAST_RATE_LIMITS[^]*HOLDFAST_JOURNAL_MAX_BATCH/,
  )
  assert.ok(!existsSync(place.data))
})

test('SERVE-8 A new server has no account, no key and no secret that another one has', async () => {
  const secrets: string[] = []
  for (let count = 0; count < 2; count += 1) {
    await using place = await openFolder()
    const { err } = await start(['serve'], { HOLDFAST_DATA: place.data }, { stopAt: '"listening"' })
    secrets.push(readFileSync(join(place.data, 'secret'), 'utf8'), /#token=(\S+)/.exec(err)?.[1] ?? '')
    const database = new DatabaseSync(join(place.data, 'holdfast.db'), { readOnly: true })
    for (const table of ['users', 'keys', 'sessions', 'members']) assert.equal(database.prepare(`SELECT count(*) AS count FROM holdfast_${table}`).get()?.['count'], 0, table)
    database.close()
  }
  assert.equal(new Set(secrets).size, 4)
  assert.ok(secrets.every((secret) => secret.trim().length >= 43))
})
