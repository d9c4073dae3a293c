import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from './settings.ts'

test('VLT-71 Settings have the defaults of the contract', () => {
  assert.deepEqual(readSettings({}), {
    ai: 'local',
    openai: undefined,
    aiTimeoutMs: 30_000,
    concurrency: 4,
    pollMs: 2_000,
    leaseMs: 60_000,
    attemptsMax: 3,
    retryDelaysMs: [2_000, 30_000],
    dailyLimit: undefined,
    strictIdempotency: false,
    idempotencyLifeMs: 86_400_000,
    fetch: true,
    fetchAllow: [],
    trashMs: 30 * 86_400_000,
    devAuth: false,
  })
})

test('VLT-71 Settings are read from the environment', () => {
  const settings = readSettings({
    HOLDFAST_VAULT_AI: 'openai',
    HOLDFAST_VAULT_AI_URL: 'http://127.0.0.1:11434/v1/',
    HOLDFAST_VAULT_AI_MODEL: 'small',
    HOLDFAST_VAULT_AI_FORMAT: 'json_object',
    HOLDFAST_VAULT_RETRY_DELAYS_MS: '1, 20',
    HOLDFAST_VAULT_DAILY_LIMIT: '5',
    HOLDFAST_VAULT_STRICT_IDEMPOTENCY: '1',
    HOLDFAST_VAULT_IDEMPOTENCY_TTL_SECONDS: '2',
    HOLDFAST_VAULT_FETCH: '0',
    HOLDFAST_VAULT_FETCH_ALLOW: 'Wiki.local,127.0.0.1:8080,[::1]:80',
    HOLDFAST_VAULT_TRASH_DAYS: '0',
    HOLDFAST_VAULT_POLL_MS: '',
    HOLDFAST_DEV_AUTH: '1',
  })
  assert.deepEqual(settings.openai, { url: 'http://127.0.0.1:11434/v1', key: undefined, model: 'small', format: 'json_object' })
  assert.deepEqual([settings.retryDelaysMs, settings.dailyLimit, settings.idempotencyLifeMs, settings.pollMs], [[1, 20], 5, 2_000, 2_000])
  assert.deepEqual([settings.strictIdempotency, settings.fetch, settings.trashMs, settings.devAuth], [true, false, undefined, true])
  assert.deepEqual(settings.fetchAllow, ['wiki.local', '127.0.0.1:8080', '[::1]:80'])
})

test('VLT-71 Everything that is wrong is said at once, without repeating a secret', () => {
  const wrong = {
    HOLDFAST_VAULT_AI: 'openai',
    HOLDFAST_VAULT_AI_KEY: 'top secret',
    HOLDFAST_VAULT_CONCURRENCY: '0',
    HOLDFAST_VAULT_LEASE_MS: '1e3',
    HOLDFAST_VAULT_RETRY_DELAYS_MS: '1,,x',
    HOLDFAST_VAULT_FETCH: 'yes',
    HOLDFAST_VAULT_FETCH_ALLOW: 'a b',
    HOLDFAST_VAULT_AI_FORMAT: 'xml',
  }
  assert.throws(
    () => readSettings(wrong),
    ({ message }: Error) => {
      for (const name of [...Object.keys(wrong).slice(1), 'HOLDFAST_VAULT_AI_URL', 'HOLDFAST_VAULT_AI_MODEL']) assert.ok(message.includes(`${name}:`), `${name} in ${message}`)
      return !message.includes('top secret')
    },
  )
  for (const url of ['ftp://x', 'http://u:p@x/v1', 'x', 'http://x/?a']) {
    assert.throws(() => readSettings({ HOLDFAST_VAULT_AI: 'openai', HOLDFAST_VAULT_AI_MODEL: 'm', HOLDFAST_VAULT_AI_URL: url }), /AI_URL/)
  }
})
