import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection, ref, type Collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { openDatabase } from '../server/open-database.ts'
import { openTestDatabase } from '../testing/open-test-database.ts'
import type { Database } from './database.ts'
import { migrate, type Migration } from './migrate.ts'

const appOf = (collections: Record<string, Collection>) => compileApp(defineApp({ name: 'shop', collections }))
const items = (extra: z.ZodRawShape = {}, indexes: readonly (readonly ['title'])[] = []) =>
  collection(z.object({ title: z.string(), price: z.number().nullable().default(null), ...extra }), { indexes })
const start = (database: Database, collections: Record<string, Collection>, migrations: readonly Migration[] = []) => migrate(database, [appOf(collections)], migrations, 1)

async function columnsOf(database: Database, table: string): Promise<string[]> {
  return database.read(async (reader) => [...(await database.dialect.columnsOf(reader, table)).keys()])
}

async function addItem(database: Database): Promise<void> {
  await database.write(async (tx) => {
    await tx.run("INSERT INTO holdfast_spaces (id, app, kind, name, version, record_version, seq, chain_hash, created_at) VALUES ('s', 'shop', 'personal', 'u', 0, 0, 0, '', 1)")
    await tx.run("INSERT INTO shop_items (space, id, version, created_at, updated_at, author, title) VALUES (1, 'a', 1, 1, 1, 'u', 'tea')")
  })
}

test('APP-1 A collection is a table with a column for each field, and references are kept by the database', async () => {
  await using opened = await openTestDatabase()
  const { database } = opened
  await start(database, { items: items({ maker: ref('makers').nullable().default(null), unitPrice: z.int().default(0) }), makers: collection(z.object({ name: z.string() })) })
  assert.deepEqual((await columnsOf(database, 'shop_items')).slice(-4), ['title', 'price', 'maker', 'unit_price'])
  await assert.rejects(database.write((tx) => tx.run("INSERT INTO shop_items (space, id, version, created_at, updated_at, author, title, maker) VALUES (1, 'a', 1, 1, 1, 'u', 'tea', 'nobody')")))
})

test('APP-2 Additions are there at the next start, and old records have the default', async () => {
  await using opened = await openTestDatabase()
  const { database } = opened
  await start(database, { items: items() })
  await addItem(database)
  await start(database, { items: items({ stock: z.int().default(7), note: z.string().nullable().default(null) }, [['title']]), makers: collection(z.object({ name: z.string() })) })
  const [row] = await database.read((reader) => reader.all('SELECT title, price, stock, note FROM shop_items'))
  assert.deepEqual({ ...(row as object) }, { title: 'tea', price: null, stock: 7, note: null })
  assert.ok((await columnsOf(database, 'shop_makers')).includes('name'))
  assert.ok((await database.read((reader) => database.dialect.indexesOf(reader, 'shop_items'))).has('shop_items_by_title'))
})

test('APP-3 What could lose data stops with the migration to write, and nothing is changed', async () => {
  await using opened = await openTestDatabase()
  const { database } = opened
  await start(database, { items: items({ stock: z.int().default(7) }), makers: collection(z.object({ name: z.string() })) })
  const makers = collection(z.object({ name: z.string() }))
  for (const [collections, says] of [
    [{ items: items(), makers }, /shop\.items: the database has a column "stock"/],
    [{ items: items({ stock: z.string().default('') }), makers }, /shop\.items\.stock: declared as/],
    [{ items: items({ stock: z.int().default(7), size: z.string() }), makers }, /shop\.items\.size: a new field needs a default/],
    [{ items: items({ stock: z.int().default(7) }) }, /has a table "shop_makers"/],
  ] as const) {
    await assert.rejects(
      start(database, { ...collections, added: collection(z.object({ x: z.string() })) }),
      (error: Error) => says.test(error.message) && error.message.includes('Nothing was changed') && error.message.includes('"shop/'),
    )
    assert.deepEqual(await columnsOf(database, 'shop_added'), [])
  }
})

test('APP-4 A written migration runs once, also when several processes start together', async () => {
  await using opened = await openTestDatabase()
  const { database, location } = opened
  await start(database, { items: items({ stock: z.int().default(7) }) })
  await addItem(database)
  let runs = 0
  const rename: Migration = {
    name: 'shop/0001-stock-is-count',
    up: async (db) => {
      runs += 1
      await db.schema.alterTable('shop_items').renameColumn('stock', 'count').execute()
    },
  }
  const others = await Promise.all(Array.from({ length: 3 }, () => openDatabase(location)))
  const next = { items: items({ count: z.int().default(7) }) }
  await Promise.all([database, ...others].map((one) => start(one, next, [rename])))
  await start(database, next, [rename])
  for (const other of others) await other.close()
  assert.equal(runs, 1)
  assert.ok((await columnsOf(database, 'shop_items')).includes('count'))
})

test('APP-5 A database of a newer program is refused and left as it is', async () => {
  await using opened = await openTestDatabase()
  const { database } = opened
  await start(database, { items: items() })
  await database.write((tx) => tx.run("INSERT INTO holdfast_migrations (name, applied_at) VALUES ('platform/9999-of-the-future', 1)"))
  await assert.rejects(start(database, { items: items({ more: z.int().default(0) }) }), /newer version.*platform\/9999-of-the-future/)
  assert.ok(!(await columnsOf(database, 'shop_items')).includes('more'))
})

test('APP-6 A declaration that cannot work is refused with its place', () => {
  const shape =
    (field: z.ZodType, name = 'x') =>
    () =>
      appOf({ items: collection(z.object({ [name]: field })) })
  for (const [declare, says] of [
    [shape(z.string().optional()), /shop\.items\.x: a field is never optional/],
    [shape(z.string().min(1).default('')), /shop\.items\.x: the schema refuses its own default/],
    [shape(z.string(), 'version'), /shop\.items\.version: the platform keeps a column/],
    [shape(z.string(), 'Title'), /shop\.items\.Title: a field's name/],
    [shape(ref('nowhere')), /shop\.items\.x: ref\('nowhere'\)/],
    [() => appOf({ items: collection(z.object({ unitPrice: z.int(), unit_price: z.int() })) }), /would share the column "unit_price"/],
    [() => appOf({ 'bad-name': items() }), /shop\.bad-name/],
    [() => compileApp(defineApp({ name: 'holdfast', collections: {} })), /"holdfast"/],
  ] as const) {
    assert.throws(declare, says)
  }
})
