import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestDatabase } from '../testing/open-test-database.ts'

test('DB-8 What a work leaves for the end of its transaction runs behind all works that share it, and falls with its work', async () => {
  await using world = await openTestDatabase()
  const { database } = world
  await database.write((tx) => tx.run('CREATE TABLE lines (line INTEGER NOT NULL UNIQUE)'))
  const done: string[] = []
  const write = (name: string, { line, fails = false }: { readonly line: number; readonly fails?: boolean }) =>
    database.write(
      async (tx) => {
        await tx.run('INSERT INTO lines (line) VALUES (?)', [line])
        tx.beforeCommit(async () => {
          await tx.run('INSERT INTO lines (line) VALUES (?)', [line + 10])
          done.push(`end of ${name}`)
        })
        if (fails) throw new Error(name)
        done.push(name)
      },
      { space: 1 },
    )
  const linesOf = async () => (await database.read((reader) => reader.all<{ line: number }>('SELECT line FROM lines ORDER BY line'))).map(({ line }) => line)

  await Promise.all([write('one', { line: 1 }), write('two', { line: 2 }), write('three', { line: 3 })])
  assert.deepEqual(done, ['one', 'two', 'three', 'end of one', 'end of two', 'end of three'])
  assert.deepEqual(await linesOf(), [1, 2, 3, 11, 12, 13])

  // What fails only at the end, and what fails before: each harms no other.
  const settled = await Promise.allSettled([write('four', { line: 4 }), write('takes 14', { line: 14 }), write('five', { line: 5 }), write('fails', { line: 6, fails: true })])
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
  )
  assert.deepEqual(await linesOf(), [1, 2, 3, 4, 5, 11, 12, 13, 14, 15])
})
