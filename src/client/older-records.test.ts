import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { createClient } from './client.ts'
import { describeApp } from './collection-info.ts'
import { again } from './outbox/acknowledge.ts'
import type { RejectedRow } from './model.ts'
import { chainOf } from './outbox/chain.ts'
import { createMemoryShelf, memoryStore } from './stores/memory-store.ts'

test('SDK-49 A record stored before a field was declared reads with the field’s default, also when the app changes what it read', async () => {
  const shelf = createMemoryShelf()
  const title = z.string()
  const older = createClient({ url: 'http://nowhere.invalid', app: defineApp({ name: 'diary', collections: { notes: collection(z.object({ title })) } }), store: memoryStore(shelf) })
  await older.notes.put('n1', { title: 'old' })
  await older.close()
  const grown = defineApp({
    name: 'diary',
    collections: { notes: collection(z.object({ title, mood: z.string().default('calm'), tags: z.array(z.string()).default([]), place: z.string().nullish() })) },
  })
  await using newer = createClient({ url: 'http://nowhere.invalid', app: grown, store: memoryStore(shelf) })
  const whole = { title: 'old', mood: 'calm', tags: [] as string[], place: null }
  const read = await newer.notes.get('n1')
  assert.deepEqual(read?.data, whole)
  read?.data.tags.push('of this reader alone')
  assert.deepEqual(
    (await newer.notes.list({ where: { mood: 'calm' } })).map(({ data }) => data),
    [whole],
  )
  await newer.transaction(async ({ notes }) => {
    await notes.patch('n1', { title: 'new' })
    assert.deepEqual((await notes.get('n1'))?.data, { ...whole, title: 'new' })
  })
})

test('SDK-12 An edit that an earlier version of the client put aside, without what it was made on, is made again on the record as it is now', () => {
  const notes = describeApp(defineApp({ name: 'diary', collections: { notes: collection(z.object({ title: z.string() })) } })).get('notes')
  assert.ok(notes !== undefined)
  const chain = chainOf(notes, 'n1', { record: { version: 5, shown: { title: 'now' } }, rows: [], conflict: undefined })
  const refused = { n: 1, collection: 'notes', id: 'n1', op: 'put', data: { title: 'mine' }, shown: { title: 'mine' }, owner: null, error: { code: 'record.invalid', message: 'No.' }, at: 1 } as const
  const edit = { n: 2, at: 2, op: 'put', data: { title: 'mine' }, owner: null } as const
  assert.equal(again(chain, refused as RejectedRow, edit), undefined)
  assert.equal(again(chain, { ...refused, base: 4, baseFields: { title: 'before' } }, edit)?.rows[0]?.n, edit.n)
})
