import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hostApp } from 'holdfast/server'
import { openTestServer } from 'holdfast/testing'
import { notes } from './app.ts'

test('DEMO-2 The quick start writes on a device and finds it on the server', async () => {
  await using world = await openTestServer({ apps: [hostApp({ app: notes })] })
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL('device.ts', import.meta.url)), world.url])
  assert.equal(stdout, 'Written at once (synced)\n')
  const [row] = await world.database.read((reader) => reader.all<{ body: string }>('SELECT body FROM notes_notes'))
  assert.equal(row?.body, 'and sent when there is a network.')
})
