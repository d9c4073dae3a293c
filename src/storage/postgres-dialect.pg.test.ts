import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { compileApp } from '../app/compile-app.ts'
import { defineApp } from '../app/define-app.ts'
import { openPostgresWorld, withoutPostgres } from '../testing/open-postgres-world.ts'
import type { Reader } from './database.ts'
import { postgresStatement } from './postgres-statement.ts'
import { jsonObject } from './record-json.ts'
import { scanTexts } from './scan-lines.ts'

const only = { skip: withoutPostgres }

const note = z.object({ title: z.string(), stars: z.number().nullable(), done: z.boolean().default(false), place: z.json().nullable() })
const app = defineApp({ name: 'notes', collections: { first: collection(note, { indexes: [['title']] }), second: collection(note), third: collection(note) } })

test('PG-8 Whole numbers come back as they went in, and one that would not is an error', only, async () => {
  await using world = await openPostgresWorld()
  const max = Number.MAX_SAFE_INTEGER
  const write = world.database.write(async (tx) => {
    await tx.run('CREATE TABLE numbers (name TEXT PRIMARY KEY, whole BIGINT, broken DOUBLE PRECISION)')
    await tx.insertMany({
      table: 'numbers',
      columns: ['name', 'whole', 'broken'],
      rows: [
        ['max', max, 0.1 + 0.2],
        ['min', -max, 5e-324],
        ['none', null, null],
      ],
    })
    await tx.run("INSERT INTO numbers VALUES ('beyond', 9007199254740992, 1e308)")
    return tx.all("SELECT whole, broken, count(*) OVER () AS count, whole > 0 AS above, sum(whole) OVER () AS sum FROM numbers WHERE name <> 'beyond' ORDER BY name")
  })
  assert.deepEqual(await write, [
    { whole: max, broken: 0.1 + 0.2, count: 3, above: 1, sum: 0 },
    { whole: -max, broken: 5e-324, count: 3, above: 0, sum: 0 },
    { whole: null, broken: null, count: 3, above: null, sum: 0 },
  ])
  await assert.rejects(
    world.database.read((reader) => reader.all("SELECT whole FROM numbers WHERE name = 'beyond'")),
    RangeError,
  )
})

test('PG-8 Text and JSON come back byte by byte, whatever is in them', only, async () => {
  await using world = await openPostgresWorld(app)
  const texts = ['', "it's", '"quoted"', 'back\\slash', 'line\nbreak\ttab\r', 'é ü ß 漢字', '🙂👩‍👩‍👧', '\u{1}\u{1f}', '?', '$1', '{"b":1, "a":[1.0,2]}', '\u2028']
  const columns = ['space', 'id', 'version', 'created_at', 'updated_at', 'author', 'title', 'done', 'place']
  const rows = texts.map((text, index) => [1, `id${index}`, index + 1, 1, 1, 'user:a', text, 0, text])
  const read = await world.database.write(async (tx) => {
    await tx.insertMany({ table: 'notes_first', columns, rows })
    return tx.all<{ title: string; place: string }>('SELECT title, place FROM notes_first WHERE space = ? ORDER BY version', [1])
  })
  assert.deepEqual(
    read,
    texts.map((text) => ({ title: text, place: text })),
  )
})

test('PG-8 Order and comparison go by bytes whatever the locale of the database, and contains takes A to Z in either case', only, async () => {
  await using world = await openPostgresWorld(app)
  const titles = ['Zebra', 'apple', 'Äpfel', 'zebra', '_x', 'Apple', 'éclair', 'a-b', 'aB']
  const columns = ['space', 'id', 'version', 'created_at', 'updated_at', 'author', 'title', 'done']
  const found = await world.database.write(async (tx) => {
    await tx.insertMany({ table: 'notes_first', columns, rows: titles.map((title, index) => [1, title.replaceAll(/[^A-Za-z_-]/g, '.'), index + 1, 1, 1, 'user:a', title, 0]) })
    const ordered = await tx.all<{ title: string }>('SELECT title FROM notes_first ORDER BY title')
    const above = await tx.all<{ title: string }>("SELECT title FROM notes_first WHERE title > 'a' ORDER BY title")
    const contained = await tx.all<{ title: string }>(`SELECT title FROM notes_first WHERE ${tx.dialect.contains('title')} ORDER BY title`, ['%EB%'])
    const accented = await tx.all<{ title: string }>(`SELECT title FROM notes_first WHERE ${tx.dialect.contains('title')} ORDER BY title`, ['%É%'])
    return [ordered, above, contained, accented].map((rows) => rows.map(({ title }) => title))
  })
  const byBytes = titles.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
  assert.deepEqual(found, [byBytes, byBytes.filter((title) => Buffer.compare(Buffer.from(title), Buffer.from('a')) > 0), ['Zebra', 'zebra'], []])
})

test('PG-8 A record of more fields than one JSON function takes is one object all the same', only, async () => {
  await using world = await openPostgresWorld()
  const members = Array.from({ length: 130 }, (_, index) => [`f${index}`, index % 2 === 0 ? String(index) : '}{'] as const)
  const [row] = await world.database.read((reader) =>
    reader.all<{ json: string }>(`SELECT ${jsonObject(members.map(([name, value]) => [name, world.database.dialect.jsonText(`'${value}'::text`, 'text')]))} AS json`),
  )
  assert.deepEqual(JSON.parse(row?.json ?? ''), Object.fromEntries(members.map(([name], index) => [name, index % 2 === 0 ? String(index) : '}{'])))
})

test('PG-13 A page is read from the ends of the version indexes and nothing is sorted, with values known or not', only, async () => {
  await using world = await openPostgresWorld(app)
  const collections = [...compileApp(app).collections.values()]
  await world.database.write(async (tx) => {
    for (const [index, { table }] of collections.entries()) {
      await tx.run(
        `INSERT INTO "${table}" (space, id, version, created_at, updated_at, author, title, done)
SELECT n % 20, 'id' || n, n * 3 + ?::bigint, 1, 1, 'user:a', 'title', 0 FROM generate_series(1, 20000) AS n`,
        [index],
      )
    }
    await tx.run('ANALYZE')
  })
  const { extent, json } = scanTexts(world.database.dialect, collections)
  const values = [7, 15_000, 60_003, 15_000, 500].join(', ')
  for (const [index, [sql, given]] of [[extent, values] as const, [json, `${values}, ',', ''`] as const].entries())
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      const plan = await world.database.read(async (reader) => {
        await reader.all(`SET LOCAL plan_cache_mode = ${mode}`)
        await reader.all(`PREPARE scan_${index}_${mode} AS ${postgresStatement(sql).text}`)
        const rows = await reader.all<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, TIMING OFF) EXECUTE scan_${index}_${mode}(${given})`)
        return rows.map((row) => row['QUERY PLAN']).join('\n')
      })
      assert.match(plan, /Merge Append/, plan)
      assert.equal(plan.match(/Index Scan using notes_(first|second|third)_space_version_key/g)?.length, 3, plan)
      assert.doesNotMatch(plan, /Seq Scan|Bitmap|-> +Sort/, plan)
    }
})

test('PG-23 Records are looked up one by one, however many their space has and whatever the statistics say of others', only, async () => {
  await using world = await openPostgresWorld(app)
  const fill = `INSERT INTO notes_first (space, id, version, created_at, updated_at, author, title, done)
SELECT CASE WHEN n <= 4000 THEN 1 ELSE n END, 'id' || n, n, 1, 1, 'user:a', 'title', 0 FROM generate_series(1, 8000) AS n`
  const sql = world.database.dialect.lookUp({ select: 'id, version', table: 'notes_first', column: 'id' })
  await world.database.write((tx) => tx.run(fill))
  for (const [index, statistics] of [undefined, 'ANALYZE notes_first'].entries()) {
    if (statistics !== undefined) await world.database.write((tx) => tx.run(statistics))
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      const plan = await world.database.read(async (reader) => {
        await reader.all(`SET LOCAL plan_cache_mode = ${mode}`)
        await reader.all(`PREPARE look_up_${index}_${mode} AS ${postgresStatement(sql).text}`)
        const rows = await reader.all<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, TIMING OFF) EXECUTE look_up_${index}_${mode}(1, '["id1","id3","id3","nobody"]')`)
        return rows.map((row) => row['QUERY PLAN']).join('\n')
      })
      assert.match(plan, /Index Scan using notes_first_pkey/, plan)
      assert.doesNotMatch(plan, /Rows Removed by Filter|Seq Scan|Bitmap/, plan)
    }
  }
})

test('PG-24 A read announced as one statement runs one, without a transaction, and no second', only, async () => {
  await using world = await openPostgresWorld()
  // Ordinary reads ask for another level than that of a statement by itself.
  const levelOf = (reader: Reader) => reader.all("SELECT current_setting('transaction_isolation') AS level")
  assert.deepEqual(await world.database.read(levelOf), [{ level: 'repeatable read' }])
  assert.deepEqual(await world.database.read(levelOf, { oneStatement: true }), [{ level: 'read committed' }])
  const two = async (run: (reader: Reader) => Promise<unknown>) =>
    world.database.read(
      async (reader) => {
        await reader.all('SELECT 1')
        await run(reader)
      },
      { oneStatement: true },
    )
  await assert.rejects(
    two((reader) => reader.all('SELECT 2')),
    /one statement/,
  )
  await assert.rejects(
    two((reader) => reader.query.selectFrom('holdfast_meta').selectAll().execute()),
    /one statement/,
  )
  const state = 'SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND state LIKE ?'
  assert.deepEqual(await world.database.read((reader) => reader.all(state, ['idle in transaction%'])), [{ count: 0 }])
  assert.equal((await world.database.read(async (reader) => [await reader.all('SELECT 1'), await reader.all('SELECT 2')])).length, 2)
})
