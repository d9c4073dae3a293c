import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataFiles, openToOthers, prepareDataFolder } from './data-folder.ts'
import { deriveSecret, keepSecret } from './keep-secret.ts'
import { lockFolder } from './lock-folder.ts'
import { realChance } from './start.ts'

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-data-'))
  return { folder, data: join(folder, 'deep', 'data'), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

const isWindows = process.platform === 'win32'

test('SERVE-8 The data folder and its secret are for their owner alone, whatever the process masks', async () => {
  await using place = await openFolder()
  const mask = process.umask(0o077)
  try {
    prepareDataFolder(place.data)
    const made = keepSecret(place.data, realChance)
    assert.equal(made.length, 43)
    assert.equal(keepSecret(place.data, realChance), made)
    assert.deepEqual(readdirSync(place.data), ['secret'])
    if (isWindows) return
    assert.equal(statSync(place.data).mode & 0o777, 0o700)
    assert.equal(statSync(dataFiles(place.data).secret).mode & 0o777, 0o600)
  } finally {
    process.umask(mask)
  }
})

test('SERVE-8 A secret that others can read, or that was cut, is not used', { skip: isWindows }, async () => {
  await using place = await openFolder()
  prepareDataFolder(place.data)
  keepSecret(place.data, realChance)
  const { secret } = dataFiles(place.data)
  const text = readFileSync(secret, 'utf8')
  chmodSync(secret, 0o640)
  assert.throws(() => keepSecret(place.data, realChance), /can be read by other accounts/)
  chmodSync(secret, 0o600)
  writeFileSync(secret, text.slice(0, 10))
  assert.throws(
    () => keepSecret(place.data, realChance),
    (error: Error) => error.message.includes('is damaged') && !error.message.includes(text.slice(0, 10)),
  )
  writeFileSync(secret, '')
  assert.throws(() => keepSecret(place.data, realChance), /is damaged/)
})

test('SERVE-8 Each purpose has a key of its own', () => {
  const [access, refresh] = [deriveSecret('s'.repeat(43), 'access-token'), deriveSecret('s'.repeat(43), 'refresh-token')]
  assert.notEqual(access, refresh)
  assert.equal(access.length, 43)
  assert.equal(deriveSecret('s'.repeat(43), 'access-token'), access)
  assert.notEqual(deriveSecret('t'.repeat(43), 'access-token'), access)
})

test('SERVE-8 A data folder that others may enter is worth a warning', { skip: isWindows }, async () => {
  await using place = await openFolder()
  prepareDataFolder(place.data)
  assert.equal(openToOthers(place.data), undefined)
  chmodSync(place.data, 0o755)
  assert.match(openToOthers(place.data) ?? '', /mode 755.*chmod 700/)
})

test('SERVE-9 A data folder that is a file, or lies below one, is refused with what to do', async () => {
  await using place = await openFolder()
  const file = join(place.folder, 'file')
  writeFileSync(file, 'mine')
  assert.throws(() => prepareDataFolder(file), /is a file/)
  assert.throws(() => prepareDataFolder(join(file, 'data')), /HOLDFAST_DATA/)
  assert.equal(readFileSync(file, 'utf8'), 'mine')
})

test('SERVE-3 A data folder has one server; whoever comes second is told who', async () => {
  await using place = await openFolder()
  prepareDataFolder(place.data)
  const first = lockFolder(place.data)
  first.note('http://127.0.0.1:1')
  assert.throws(() => lockFolder(place.data), new RegExp(`process ${process.pid}, http://127\\.0\\.0\\.1:1`))
  first[Symbol.dispose]()
  assert.ok(!readdirSync(place.data).includes('running.json'))
  using again = lockFolder(place.data)
  assert.ok(again)
})
