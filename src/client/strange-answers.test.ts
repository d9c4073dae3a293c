import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDiaryDevice, openDiaryServer, settled, type DiaryDevice } from './diary.fixture.ts'
import { RequestFailure } from './sync/failure.ts'
import { refuseEvents } from './testing/open-test-client.ts'
import type { Fault } from './testing/test-network.ts'

const page = '<!doctype html><title>Welcome to the hotel</title>'

/** What answers in the server's place: the sign-in page of a hotel, a proxy, a program of somebody else. */
const strangers: readonly (readonly [string, Fault])[] = [
  ['a page', { kind: 'answer', status: 200, body: page, headers: { 'content-type': 'text/html' } }],
  ['nothing', { kind: 'answer', status: 204 }],
  ['an empty object', { kind: 'answer', status: 200, body: '{}' }],
  ['null', { kind: 'answer', status: 200, body: 'null' }],
  ['JSON that ends in the middle', { kind: 'answer', status: 200, body: '{"changes":[{"collection":"no' }],
  ['tokens that are none', { kind: 'answer', status: 200, body: '{"accessToken":"x"}' }],
  ['a redirect', { kind: 'answer', status: 302, headers: { location: 'https://hotel.example/' } }],
  ...[400, 401, 403, 404, 405, 407, 410, 422, 451, 500, 502, 503, 504, 511].map((status): readonly [string, Fault] => [`a page with ${status}`, { kind: 'answer', status, body: page }]),
]

const status = (device: DiaryDevice) => device.client.status.get()

for (const [what, fault] of strangers)
  test(`SDK-46 Where ${what} answers in the server’s place nothing is lost, refused or signed out, and all is sent soon after the server is back`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await phone.client.notes.add({ title: 'read' })
    await phone.client.sync()
    for (const title of ['one', 'two', 'three', 'four', 'five']) await phone.client.notes.add({ title })
    // The access token has to be renewed, too: also that is asked of the stranger.
    phone.clock.advance(20 * 60_000)
    server.advance(20 * 60_000)
    await settled(() => status(phone).pending === 0)
    for (const title of ['six', 'seven', 'eight', 'nine', 'ten']) await phone.client.notes.add({ title })
    phone.network.fault = () => fault
    assert.equal((await phone.client.sync()).kind, 'failed')
    phone.clock.advance(20 * 60_000)
    server.advance(20 * 60_000)
    await settled(() => (status(phone).retryAt ?? 0) > phone.clock.now())
    assert.equal((await phone.client.sync()).kind, 'failed')
    await settled(() => status(phone).lastError !== null && status(phone).retryAt !== null)
    assert.deepEqual([status(phone).signedIn, status(phone).pending, status(phone).rejected], ['signed-in', 5, 0])
    const wait = (status(phone).retryAt ?? Number.POSITIVE_INFINITY) - phone.clock.now()
    assert.ok(wait > 0 && wait <= 30_000, `${wait} ms to wait`)
    phone.network.fault = refuseEvents
    phone.clock.advance(wait)
    await settled(() => status(phone).pending === 0 && status(phone).lastError === null)
    assert.equal((await phone.client.notes.list()).length, 11)
  })

for (const [what, fault] of strangers)
  test(`SDK-46 Where ${what} answers to a push alone no edit is put aside`, async () => {
    await using server = await openDiaryServer()
    await using phone = await openDiaryDevice(server, 'a')
    await phone.client.sync()
    for (let count = 0; count < 10; count += 1) await phone.client.notes.add({ title: `note ${count}` })
    phone.network.fault = (request) => (request.url.includes('/push') ? fault : refuseEvents(request))
    for (let count = 0; count < 5; count += 1) await phone.client.sync()
    await settled(() => status(phone).progress === null)
    assert.deepEqual([status(phone).signedIn, status(phone).pending, status(phone).rejected], ['signed-in', 10, 0])
    phone.network.fault = refuseEvents
    phone.clock.advance(60_000)
    await phone.client.sync()
    await settled(() => status(phone).pending === 0)
  })

test('SDK-46 Who signs in where a stranger answers is told so, and stays signed out', async () => {
  await using server = await openDiaryServer()
  await using phone = await openDiaryDevice(server, 'a')
  await phone.client.signOut()
  for (const body of [page, '{}', '{"user":{"id":"x"}}', 'null', '']) {
    phone.network.fault = () => ({ kind: 'answer', status: 200, body })
    await assert.rejects(phone.client.signIn({ email: 'ada@example.org', password: 'correct horse' }), (error) => error instanceof RequestFailure && error.code === 'answer.invalid')
  }
  await settled(() => status(phone).signedIn === 'signed-out')
})
