import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { loadConfig } from './load-config.ts'

const publicServer = new URL('../public/server.ts', import.meta.url).href
const publicHoldfast = new URL('../public/holdfast.ts', import.meta.url).href
const zod = pathToFileURL(new URL(import.meta.resolve('zod')).pathname).href

/** A folder with a configuration file. */
async function openFolder(config?: string, name = 'holdfast.config.ts') {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-config-'))
  if (config !== undefined) await writeFile(join(folder, name), config)
  return {
    folder,
    load: (environment: Readonly<Record<string, string>> = {}, file?: string) => loadConfig({ environment, folder, file }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

const withNotes = `
import { defineConfig, hostApp } from '${publicServer}'
import { collection, defineApp } from '${publicHoldfast}'
import { z } from '${zod}'
const notes = defineApp({ name: 'notes', collections: { notes: collection(z.object({ text: z.string() })) } })
const app = hostApp({ app: notes, checkSettings: (environment) => {
  if (environment['HOLDFAST_NOTES_MAX'] === 'x') throw new Error('HOLDFAST_NOTES_MAX: "x" is not usable.')
} })
`

test('SERVE-6 holdfast.config.ts brings settings and apps of its own; the environment chooses among them', async () => {
  await using place = await openFolder(`${withNotes} export default defineConfig({ port: 4000, apps: [app, 'journal'] })`)
  const { config } = await place.load()
  assert.deepEqual(
    config.apps.map(({ app }) => app.name),
    ['notes', 'journal'],
  )
  assert.equal(config.port, 4_000)
  assert.equal(config.data, join(place.folder, 'holdfast-data'))
  const { config: one, warnings } = await place.load({ HOLDFAST_APPS: 'notes', HOLDFAST_NOTES_MAX: '5' })
  assert.deepEqual(
    one.apps.map(({ app }) => app.name),
    ['notes'],
  )
  assert.deepEqual(warnings, [])
  assert.equal(one.environment['HOLDFAST_NOTES_MAX'], '5')
})

test('SERVE-6 Without a file all shipped apps run', async () => {
  await using place = await openFolder()
  const { config } = await place.load()
  assert.ok(config.apps.some(({ app }) => app.name === 'journal'))
})

test('SERVE-5 Problems of settings, file and apps come in one message, and nothing is started', async () => {
  await using place = await openFolder(`${withNotes} export default defineConfig({ apps: [app, 'jurnal'], port: 70000 })`)
  await assert.rejects(place.load({ HOLDFAST_REGISTRATION: 'no', HOLDFAST_NOTES_MAX: 'x' }), (error: Error) => {
    assert.equal(error.name, 'StartFailure')
    const [head, ...problems] = error.message.split('\n')
    assert.equal(head, 'The configuration has 4 problems:')
    assert.match(problems.join('\n'), /port in holdfast[^]*HOLDFAST_REGISTRATION[^]*no app "jurnal"; did you mean journal\?[^]*notes: HOLDFAST_NOTES_MAX/)
    return true
  })
})

test('SERVE-5 A configuration file that cannot be used says why', async () => {
  for (const [text, says] of [
    ['export const nothing = 1', /must export its settings/],
    ['export default 5', /must export its settings/],
    ['throw new Error("my mistake")', /cannot be read: my mistake/],
    ['export default {', /cannot be read/],
    ['export default { apps: [] }', /apps in holdfast\.config\.ts: give a list/],
    ['export default { apps: [{}] }', /apps in holdfast\.config\.ts: give a list/],
    ['export default { apps: "journal" }', /apps in holdfast\.config\.ts: give a list/],
  ] as const) {
    await using place = await openFolder(text)
    await assert.rejects(place.load(), says, text)
  }
  await using empty = await openFolder()
  await assert.rejects(empty.load({}, 'missing.ts'), /missing\.ts cannot be read/)
})
