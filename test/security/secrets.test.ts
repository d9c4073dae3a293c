import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const program = fileURLToPath(new URL('../../src/cli/holdfast.js', import.meta.url))

interface Said extends AsyncDisposable {
  readonly url: string
  /** Everything that the process has said so far, on both streams. */
  all(): string
}

/** Starts the program with the most talkative log, and waits for all that it says of its start. */
async function serve(data: string, environment: Readonly<Record<string, string>>): Promise<Said> {
  const env = { PATH: process.env['PATH'], HOLDFAST_DATA: data, HOLDFAST_PORT: '0', HOLDFAST_LOG_LEVEL: 'trace', ...environment }
  const child = spawn(process.execPath, [program, 'serve'], { env, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let said = ''
  const listening = Promise.withResolvers<string>()
  const hear = (chunk: Buffer) => {
    said += chunk.toString('utf8')
    const [, url] = /"url":"(http:[^"]+)"/.exec(said) ?? []
    // The link for the first admin comes on the other stream.
    if (url !== undefined && /#token=\S+\s/.test(said)) listening.resolve(url)
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  void ended.then(() => listening.reject(new Error(`It ended: ${said}`)))
  return {
    url: await listening.promise,
    all: () => said,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

test('AUTH-20 SERVE-10 Nothing that is secret is in the log at its most talkative, nor in the text of an error: passwords, tokens, keys, links and settings', async () => {
  await using opened = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'))
  opened.defer(() => rm(folder, { recursive: true, force: true }))
  // A provider that sends everything back that it was sent, and a mail server that is none.
  const provider = createServer((request, response) => response.writeHead(500, { 'x-echo': String(request.headers.authorization) }).end(String(request.headers.authorization))).listen(0, '127.0.0.1')
  await once(provider, 'listening')
  opened.defer(() => {
    provider.closeAllConnections()
    provider.close()
  })
  const providerUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`
  const settings = {
    HOLDFAST_SECRET: 'server-secret-of-more-than-32-characters',
    HOLDFAST_METRICS_TOKEN: 'metrics-token-secret',
    HOLDFAST_SMTP_URL: 'smtp://mailer:smtp-password-secret@127.0.0.1:1',
    HOLDFAST_PUBLIC_URL: 'https://holdfast.example',
    HOLDFAST_REDIS_URL: 'redis://:redis-password-secret@127.0.0.1:1',
    HOLDFAST_VAULT_AI: 'openai',
    HOLDFAST_VAULT_AI_URL: providerUrl,
    HOLDFAST_VAULT_AI_KEY: 'provider-key-secret-of-some-length',
    HOLDFAST_VAULT_AI_MODEL: 'model',
  }
  const server = opened.use(await serve(join(folder, 'data'), settings))
  const told: string[] = []
  const send = async (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const typed = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await fetch(`${server.url}${path}`, { method, headers: { ...typed, ...headers }, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) })
    const text = await answer.text()
    if (answer.status >= 400) told.push(text)
    return { status: answer.status, body: (text.startsWith('{') ? JSON.parse(text) : {}) as Readonly<Record<string, string>> }
  }
  const [, setup = ''] = /#token=([A-Za-z0-9_-]+)/.exec(server.all()) ?? []
  assert.ok(setup.length > 20)
  const shown = server.all().length
  const passwords = ['correct horse battery', 'wrong password secret', 'next password secret']
  const [password = '', wrong = '', next = ''] = passwords
  const email = 'ada@example.org'
  const made = await send('POST', '/api/v1/auth/setup', { token: setup, email, password })
  assert.equal(made.status, 201)
  await send('POST', '/api/v1/auth/setup', { token: setup, email: 'eve@example.org', password })
  const { accessToken = '', refreshToken = '' } = made.body
  const bearer = { authorization: `Bearer ${accessToken}` }
  await send('POST', '/api/v1/auth/login', { email, password: wrong })
  await send('POST', '/api/v1/auth/login', { email, password: [wrong], extra: wrong })
  await send('POST', '/api/v1/auth/login', `{"email":"${email}","password":"${wrong}`)
  await send('POST', '/api/v1/auth/register', { email, password })
  await send('POST', '/api/v1/auth/register', { email: 'bob@example.org', password: 'short' })
  await send('POST', '/api/v1/auth/password', { currentPassword: wrong, newPassword: next }, bearer)
  await send('POST', '/api/v1/auth/reset-request', { email })
  await send('POST', '/api/v1/auth/reset', { token: 'reset-token-secret', newPassword: next })
  const { body: refreshed } = await send('POST', '/api/v1/auth/refresh', { refreshToken })
  await send('POST', '/api/v1/auth/refresh', { refreshToken: 'hfr_refresh-token-secret' })
  const { body: keyed } = await send('POST', '/api/v1/keys', { name: 'script', app: 'vault', role: 'editor' }, bearer)
  const key = String(keyed['key'])
  for (const headers of [
    { 'x-api-key': `${key}x` },
    { authorization: 'Bearer bearer-token-secret' },
    { 'x-api-key': key, ...bearer },
    { authorization: 'Basic basic-secret' },
    { cookie: 'session=cookie-secret' },
  ])
    await send('GET', '/api/v1/vault/pull?cursor=x', undefined, headers)
  await send('GET', '/api/v1/vault/pull?access_token=address-token-secret')
  await send('GET', '/metrics', undefined, { authorization: 'Bearer metrics-wrong-secret' })
  const captured = await send('POST', '/vault/items', { rawText: 'captured text secret' }, { 'x-api-key': key })
  assert.equal(captured.status, 201)
  const item = `/vault/items/${String(captured.body['id'])}`
  // The provider has been asked, and the mail has failed, when the log says so.
  while (!/jobs\.(failed|dead)/.test(server.all().slice(shown)) || !/background\.failed/.test(server.all().slice(shown))) await send('GET', item, undefined, { 'x-api-key': key })
  const shownItem = JSON.stringify((await send('GET', item, undefined, bearer)).body) + JSON.stringify((await send('GET', '/api/v1/vault/jobs', undefined, bearer)).body)
  const {
    HOLDFAST_PUBLIC_URL: _public,
    HOLDFAST_VAULT_AI: _ai,
    HOLDFAST_VAULT_AI_MODEL: _model,
    HOLDFAST_VAULT_AI_URL: _url,
    HOLDFAST_SMTP_URL: _smtp,
    HOLDFAST_REDIS_URL: _redis,
    ...plain
  } = settings
  const secrets = [
    ...Object.values(plain),
    ...passwords,
    accessToken,
    refreshToken,
    String(refreshed['refreshToken']),
    key,
    'smtp-password-secret',
    'redis-password-secret',
    'reset-token-secret',
    'refresh-token-secret',
    'bearer-token-secret',
    'basic-secret',
    'cookie-secret',
    'address-token-secret',
    'metrics-wrong-secret',
    'captured text secret',
  ]
  const log = server.all().slice(shown)
  assert.match(log, /"auth\.sign_in_failed"/)
  for (const secret of secrets) {
    assert.ok(!log.includes(secret), `the log: ${secret}`)
    assert.ok(!told.some((text) => text.includes(secret)), `an error: ${secret}`)
  }
  assert.ok(!log.includes(setup), 'the link is shown once')
  assert.ok(!shownItem.includes(settings.HOLDFAST_VAULT_AI_KEY))
})
