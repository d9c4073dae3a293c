import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { openSite, type Site } from './serve-process.ts'

const NOTES = 100
const NOTE_CHARS = 120_000
/** Events of nearly the size at which their changes are left out: together more than the buffers of a connection. */
const EVENTS = 500
const EVENT_CHARS = 15_000

async function push(site: Site, accessToken: string, ids: readonly string[], chars: number): Promise<void> {
  const mutations = ids.map((id) => ({ collection: 'content', id, op: 'put', base: 0, data: { type: 'TEXT', content: 'x'.repeat(chars), writtenAt: 1, lastUpdated: 1 } }))
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` }
  const answer = await site.request('/api/v1/journal/push', { method: 'POST', headers, body: JSON.stringify({ mutations }) })
  assert.equal(answer.status, 200, await answer.text())
}

/** Sends a request, waits for the beginning of the answer, and reads no further. */
async function stall(site: Site, path: string, accessToken: string): Promise<Socket> {
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${accessToken}\r\n\r\n`)
  await once(socket, 'readable')
  return socket
}

test('SERVE-3 Clients that have stopped reading do not hold up a stop', async () => {
  await using site = await openSite()
  await site.serve()
  const register = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email: 'ada@example.org', password: 'correct horse' }) }
  const { accessToken } = (await (await site.request('/api/v1/auth/register', register)).json()) as { readonly accessToken: string }
  for (let from = 0; from < NOTES; from += 20) {
    await push(
      site,
      accessToken,
      Array.from({ length: 20 }, (_, index) => `n${from + index}`),
      NOTE_CHARS,
    )
  }
  const sockets = [await stall(site, '/api/v1/journal/snapshot', accessToken), await stall(site, '/api/v1/journal/pull', accessToken), await stall(site, '/api/v1/journal/events', accessToken)]
  for (let index = 0; index < EVENTS; index += 1) await push(site, accessToken, [`c${index}`], EVENT_CHARS)
  // A process that waits for them gives up after half a minute, with another code.
  assert.equal(await site.end('SIGTERM'), 0)
  for (const socket of sockets) socket.destroy()
})
