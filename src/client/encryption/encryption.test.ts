import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { encryptedCollection } from '../../app/collection.ts'
import { defineApp } from '../../app/define-app.ts'
import { hostApp } from '../../http/host-app.ts'
import { openTestServer, type TestServer } from '../../testing/open-test-server.ts'
import { fetchTransport } from '../client.ts'
import { describeApp } from '../collection-info.ts'
import { settled } from '../diary.fixture.ts'
import { openTestDevice, signedInOf } from '../testing/open-test-client.ts'
import { createKeyring, type Keyring } from './create-keyring.ts'
import { keyFromBytes } from './encryption-key.ts'
import { keyFromPassphrase } from './key-from-passphrase.ts'
import { keyFromRecoveryFile, recoveryFile } from './recovery-file.ts'

const app = defineApp({ name: 'secret', collections: { notes: encryptedCollection(z.object({ title: z.string(), body: z.string().default('') })) } })
const info = describeApp(app).get('notes')
assert.ok(info !== undefined)
const notes = info

const key = (fill: number) => keyFromBytes(new Uint8Array(32).fill(fill))
const openServer = () => openTestServer({ apps: [hostApp({ app })] })

async function openDevice(server: TestServer, name: string, keyring: Keyring) {
  const device = openTestDevice({ url: server.url, app, transport: fetchTransport, name, keyring })
  await device.client.adopt(signedInOf(await server.register('ada@example.org', name).catch(() => server.signIn('ada@example.org', name))))
  return device
}

test('SDK-32 A sealed record opens with its key, in its place, unaltered; in any other case it does not', async () => {
  const ring = createKeyring({ app: 'secret', keys: [await key(1)] })
  const fields = { title: 'ünïcode 😀', body: 'x'.repeat(100_000) }
  const sealed = await ring.seal(notes, 'n1', fields)
  assert.ok(sealed !== undefined)
  assert.deepEqual(Object.keys(sealed).toSorted(), ['keyId', 'payload'])
  assert.deepEqual(await ring.open(notes, 'n1', sealed), fields)
  const again = await ring.seal(notes, 'n1', fields)
  assert.notEqual(again?.['payload'], sealed['payload'], 'no nonce is used twice')
  const unreadable = { name: 'UnreadableError' }
  await assert.rejects(ring.open(notes, 'n2', sealed), unreadable)
  await assert.rejects(createKeyring({ app: 'other', keys: [await key(1)] }).open(notes, 'n1', sealed), unreadable)
  await assert.rejects(createKeyring({ app: 'secret', keys: [await key(2)] }).open(notes, 'n1', sealed), unreadable)
  const payload = String(sealed['payload'])
  await assert.rejects(ring.open(notes, 'n1', { ...sealed, payload: `${payload.slice(0, 40)}${payload[40] === 'A' ? 'B' : 'A'}${payload.slice(41)}` }), unreadable)
  await assert.rejects(ring.open(notes, 'n1', { ...sealed, payload: 'AAAA' }), unreadable)
})

test('SDK-32 A passphrase and a salt make the same key everywhere; another passphrase or salt makes another', async () => {
  const options = { passphrase: 'correct horse battery', salt: 'account-1' }
  const one = await keyFromPassphrase(options)
  assert.equal((await keyFromPassphrase(options)).id, one.id)
  assert.notEqual((await keyFromPassphrase({ ...options, salt: 'account-2' })).id, one.id)
  assert.notEqual((await keyFromPassphrase({ ...options, passphrase: 'correct horse batterz' })).id, one.id)
  await assert.rejects(keyFromPassphrase({ ...options, passphrase: 'short' }), RangeError)
})

test('SDK-32 A recovery file gives the key again; a damaged one is refused', async () => {
  const one = await key(7)
  const file = recoveryFile(one)
  assert.deepEqual((await keyFromRecoveryFile(file)).bytes, one.bytes)
  await assert.rejects(keyFromRecoveryFile(file.replace('BwcH', 'BwcI')), TypeError)
  await assert.rejects(keyFromRecoveryFile('{}'), TypeError)
  await assert.rejects(keyFromRecoveryFile('not json'), TypeError)
})

test('SDK-33 The server keeps what it cannot read, another device with the key reads it, and parallel edits are joined on the device', async () => {
  await using server = await openServer()
  const keys = [await key(1)]
  await using phone = await openDevice(server, 'a', createKeyring({ app: 'secret', keys }))
  await using laptop = await openDevice(server, 'b', createKeyring({ app: 'secret', keys }))
  await phone.client.notes.put('n1', { title: 'private words' })
  await phone.client.sync()
  const stored = await server.database.read((reader) => reader.all<Record<string, unknown>>('SELECT * FROM secret_notes'))
  const changes = await server.database.read((reader) => reader.all<Record<string, unknown>>('SELECT * FROM holdfast_changes'))
  assert.equal(stored.length, 1)
  assert.ok(!JSON.stringify([stored, changes]).includes('private words'))
  await laptop.client.sync()
  assert.deepEqual((await laptop.client.notes.get('n1'))?.data, { title: 'private words', body: '' })
  await laptop.client.notes.patch('n1', { body: 'laptop' })
  await laptop.client.sync()
  await phone.client.notes.patch('n1', { title: 'phone' })
  await phone.client.sync()
  await phone.client.sync()
  await laptop.client.sync()
  for (const device of [phone, laptop]) assert.deepEqual((await device.client.notes.get('n1'))?.data, { title: 'phone', body: 'laptop' })
  await laptop.client.notes.patch('n1', { title: 'laptop' })
  await laptop.client.sync()
  await phone.client.notes.patch('n1', { title: 'phone again' })
  await phone.client.sync()
  assert.deepEqual(
    (await phone.client.conflicts.list()).map(({ mine, theirs }) => [mine?.['title'], theirs?.['title']]),
    [['phone again', 'laptop']],
  )
})

test('SDK-34 Without its key a record waits: unsent ones on the device, read ones aside, until the key is there', async () => {
  await using server = await openServer()
  const ring = createKeyring({ app: 'secret' })
  await using phone = await openDevice(server, 'a', createKeyring({ app: 'secret', keys: [await key(1)] }))
  await using laptop = await openDevice(server, 'b', ring)
  await phone.client.notes.put('n1', { title: 'phone' })
  await phone.client.sync()
  await laptop.client.notes.put('n2', { title: 'laptop' })
  assert.deepEqual(await laptop.client.sync(), { kind: 'synced' })
  await settled(() => laptop.client.status.get().aside === 1 && laptop.client.status.get().pending === 1)
  assert.equal(await laptop.client.notes.get('n1'), undefined)
  ring.add(await key(1))
  await settled(() => laptop.client.status.get().aside === 0 && laptop.client.status.get().pending === 0)
  assert.equal((await laptop.client.notes.get('n1'))?.data.title, 'phone')
  await phone.client.sync()
  assert.equal((await phone.client.notes.get('n2'))?.data.title, 'laptop')
})
