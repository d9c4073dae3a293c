import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { withoutPostgres } from '../testing/open-postgres-world.ts'
import { openTestSpace } from '../testing/open-test-space.ts'

const app = compileApp(defineApp({ name: 'shop', collections: { notes: collection(z.object({ key: z.string() }), { indexes: [['key']] }) } }))

test('PG-26 A table that has grown gets statistics without the help of the server', { skip: withoutPostgres }, async () => {
  await using world = await openTestSpace(app)
  await world.database.write((tx) => tx.run('ALTER TABLE shop_notes SET (autovacuum_enabled = false)'))
  const push = (from: number) => world.push(Array.from({ length: 1_000 }, (_, index) => ({ collection: 'notes', id: `n${from + index}`, base: 0, data: { key: '' } })))
  const rows = async () => {
    const [table] = await world.database.read((reader) => reader.all<{ rows: number }>("SELECT reltuples::integer AS rows FROM pg_class WHERE oid = 'shop_notes'::regclass"))
    return table?.rows ?? 0
  }
  const pushUntil = async (from: number, wanted: number) => {
    await push(from)
    // What PostgreSQL counts of its tables is a second late, so that the first look may be too early; each write has another one follow.
    while ((await rows()) < wanted) {
      await delay(500)
      await world.database.write((tx) => tx.run('UPDATE holdfast_meta SET value = value WHERE key = ?', ['nothing']))
    }
  }
  assert.ok((await rows()) < 1)
  await pushUntil(0, 1_000)
  await push(1_000)
  await pushUntil(2_000, 3_000)
  assert.equal(await rows(), 3_000)
})
