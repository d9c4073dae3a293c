import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { digestOf } from '../../src/storage/sqlite-backup.ts'
import { openSite } from './serve-process.ts'

test('CLI-2 A backup is one file and its checksum, both for their owner alone', async () => {
  await using site = await openSite()
  await site.holdfast('user', 'add', '--email', 'ada@example.org')
  const { code, out, err } = await site.holdfast('backup', '--to', join(site.folder, 'backup.db'), '--json')
  assert.equal(code, 0, err)
  const { file, sha256 } = JSON.parse(out) as { file: string; sha256: string }
  assert.deepEqual(
    readdirSync(site.folder).filter((name) => name.startsWith('backup')),
    ['backup.db', 'backup.db.sha256'],
  )
  assert.equal(await digestOf(file), sha256)
  if (process.platform !== 'win32') assert.deepEqual([statSync(file).mode & 0o777, statSync(`${file}.sha256`).mode & 0o777], [0o600, 0o600])
})

test('CLI-3 A backup of a newer version is refused, and the database that is there stays as it is', async () => {
  await using site = await openSite()
  await site.holdfast('user', 'add', '--email', 'ada@example.org')
  const newer = join(site.folder, 'newer.db')
  await site.holdfast('backup', '--to', newer)
  const database = new DatabaseSync(newer)
  database.exec("INSERT INTO holdfast_migrations (name, applied_at) VALUES ('platform/9999-from-the-future', 1)")
  database.close()
  // Without the sum that belongs to the file as it was, as when somebody copies the file alone.
  const alone = join(site.folder, 'alone.db')
  const copy = new DatabaseSync(newer)
  copy.exec(`VACUUM INTO '${alone}'`)
  copy.close()
  const before = await digestOf(join(site.data, 'holdfast.db'))
  const { code, err } = await site.holdfast('restore', '--from', alone)
  assert.equal(code, 1)
  assert.match(err, /newer version/)
  assert.equal(await digestOf(join(site.data, 'holdfast.db')), before)
  assert.deepEqual(
    readdirSync(site.data).filter((name) => /restoring|before/.test(name)),
    [],
  )
})

test('CLI-3 A damaged database is replaced by its backup and kept beside it', async () => {
  await using site = await openSite()
  await site.holdfast('user', 'add', '--email', 'ada@example.org')
  const file = join(site.folder, 'backup.db')
  await site.holdfast('backup', '--to', file)
  writeFileSync(join(site.data, 'holdfast.db'), 'not a database at all '.repeat(1_000))
  assert.equal((await site.holdfast('doctor')).code, 1)
  const restore = await site.holdfast('restore', '--from', file)
  assert.equal(restore.code, 0, restore.err)
  assert.ok(readdirSync(site.data).some((name) => name.startsWith('holdfast.db.before-')))
  assert.equal((await site.holdfast('doctor')).code, 0)
})

test('CLI-4 The doctor makes and changes nothing', async () => {
  await using site = await openSite()
  await site.holdfast('migrate')
  const file = join(site.data, 'holdfast.db')
  const [names, digest] = [readdirSync(site.data).toSorted(), await digestOf(file)]
  assert.equal((await site.holdfast('doctor', '--json')).code, 0)
  assert.equal((await site.holdfast('audit', 'verify')).code, 0)
  assert.deepEqual(readdirSync(site.data).toSorted(), names)
  assert.equal(await digestOf(file), digest)
})
