import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressKey } from '../../src/http/address-key.ts'
import { rateLimits } from '../../src/http/rate-limits.ts'
import { call, hostedDiary } from '../../src/http/test-calls.fixture.ts'
import { openTestServer } from '../../src/testing/open-test-server.ts'

test('HTTP-6 What a caller says of its own address counts only where a configured proxy has passed it on', async () => {
  await using world = await openTestServer({ apps: [hostedDiary], rateLimits: { ...rateLimits, address: { requestsMax: 2, windowS: 60 }, signInByAddress: { requestsMax: 2, windowS: 60 } } })
  /** Statuses of three requests that say different things of where they come from. */
  const three = async (forwarded: (index: number) => string, url = '/health/live') => {
    const statuses: number[] = []
    const headers = (index: number) => Object.fromEntries(['x-forwarded-for', 'x-real-ip', 'forwarded', 'x-client-ip', 'cf-connecting-ip'].map((name) => [name, forwarded(index)]))
    for (let index = 0; index < 3; index += 1) {
      const request = url === '/health/live' ? { url } : { method: 'POST' as const, url, payload: { email: `a${index}@example.org`, password: 'wrong' } }
      statuses.push((await world.http.inject({ ...request, headers: headers(index) })).statusCode)
    }
    return statuses
  }
  assert.deepEqual(await three((index) => `198.51.100.${index}`), [200, 200, 429], 'no proxy is configured')
  await world.restart()
  assert.deepEqual(await three((index) => `198.51.100.${index}`, '/api/v1/auth/login'), [401, 401, 429], 'nor at sign-in')
  await world.restart({ trustProxy: '10.0.0.0/8' })
  assert.deepEqual(await three((index) => `198.51.100.${index}`), [200, 200, 429], 'the caller is no proxy')
  await world.restart({ trustProxy: 'loopback' })
  assert.deepEqual(await three((index) => `198.51.100.${index}`), [200, 200, 200], 'a proxy tells callers apart')
  assert.deepEqual(await three((index) => `203.0.113.${index}, 192.0.2.7`), [200, 200, 429], 'what the caller wrote before the proxy did')
  assert.deepEqual(await three((index) => `203.0.113.${index}, 127.0.0.1, 192.0.2.8`), [200, 200, 429], 'also when it names the proxy')
  assert.deepEqual(await three((index) => `2001:db8:1:2::${index}`), [200, 200, 429], 'one customer')
  assert.deepEqual(await three((index) => `[2001:db8:1:3::${index}]:100${index}`), [200, 200, 429], 'with ports')
  assert.deepEqual(await three((index) => `192.0.2.9:100${index}`), [200, 200, 429], 'with ports')
})

test('HTTP-6 One address has one key, however it is written', () => {
  for (const same of [
    ['192.0.2.1', '192.0.2.1:80', '::ffff:192.0.2.1', '::FFFF:192.0.2.1', '::ffff:c000:201', '0:0:0:0:0:ffff:192.0.2.1', '[::ffff:192.0.2.1]:443'],
    ['2001:db8::1', '2001:DB8::2', '2001:0db8:0000:0000:ffff::1', '[2001:db8::1]', '[2001:db8::9]:443', '2001:db8:0:0:1:2:3:4', '2001:db8::1%eth0'],
  ])
    assert.equal(new Set(same.map(addressKey)).size, 1, same.map(addressKey).join(' '))
})

test('AUTH-13 A link in a mail begins with the configured address, whatever a request says of its host', async () => {
  await using world = await openTestServer({ apps: [hostedDiary], publicUrl: 'https://holdfast.example', trustProxy: true })
  const user = await world.register('ada@example.org')
  const evil = 'elsewhere.example'
  const headers = {
    host: evil,
    'x-forwarded-host': evil,
    'x-forwarded-proto': 'http',
    forwarded: `host=${evil};proto=http`,
    origin: `https://${evil}`,
    referer: `https://${evil}/`,
    'x-original-host': evil,
  }
  assert.equal((await call(world, headers, 'POST', '/api/v1/auth/reset-request', { email: user.email })).status, 202)
  await world.accounts.settled()
  const links = world.mails.flatMap((mail) => mail.match(/\S+#token=/g) ?? [])
  assert.deepEqual(links, ['https://holdfast.example/account/reset#token='])
  assert.ok(!world.mails.join('').includes(evil))
  const made = await call(world, { ...headers, ...user.headers }, 'POST', '/api/v1/diary/records/notes', { id: 'a', data: { title: 'a' } })
  assert.deepEqual([made.status, made.headers['location']], [201, '/api/v1/diary/records/notes/a'])
  const { text, headers: sent } = await call(world, headers, 'GET', '/')
  assert.ok(!`${text} ${JSON.stringify(sent)}`.includes(evil))
  assert.ok(!(await call(world, headers, 'GET', '/openapi.json')).text.includes(evil))
})

test('AUTH-5 AUTH-13 Known, unknown and disabled accounts are answered alike, to the letter', async () => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const [known, disabled] = [await world.register('known@example.org'), await world.register('disabled@example.org')]
  await world.database.write((tx) => tx.run('UPDATE holdfast_users SET disabled_at = 1 WHERE id = ?', [disabled.userId]))
  const ids = { 'x-request-id': 'same' }
  for (const [path, more] of [
    ['login', { password: 'wrong horse' }],
    ['login', { password: 'wrong horse', device: { id: 'phone' } }],
    ['reset-request', {}],
  ] as const) {
    const answers = []
    for (const email of [known.email, disabled.email, 'unknown@example.org']) {
      const { status, text, headers } = await call(world, ids, 'POST', `/api/v1/auth/${path}`, { email, ...more })
      const { date: _date, ...same } = headers
      answers.push(JSON.stringify([status, text, same]))
    }
    assert.equal(new Set(answers).size, 1, `${path}: ${answers.join('\n')}`)
  }
  // A right password of a disabled account tells no more than a wrong one.
  const right = await call(world, ids, 'POST', '/api/v1/auth/login', { email: disabled.email, password: 'correct horse' })
  const wrong = await call(world, ids, 'POST', '/api/v1/auth/login', { email: 'unknown@example.org', password: 'correct horse' })
  assert.deepEqual([right.status, right.text], [wrong.status, wrong.text])
})
