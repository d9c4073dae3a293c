import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings, variableOf, type SettingSources } from './read-settings.ts'
import { settingSchemas, type SettingName } from './setting-schemas.ts'

function read(environment: Readonly<Record<string, string>>, sources: Partial<SettingSources> = {}) {
  return readSettings({ environment, file: {}, folder: '/srv', appNames: ['journal', 'gallery'], ...sources })
}

test('SERVE-6 Without any setting the server listens on this machine alone, with limits on and data in the current folder', () => {
  const { settings, apps, problems, warnings } = read({})
  assert.deepEqual({ problems, warnings, apps }, { problems: [], warnings: [], apps: undefined })
  assert.equal(settings.host, '127.0.0.1')
  assert.equal(settings.port, 8_787)
  assert.equal(settings.data, '/srv/holdfast-data')
  assert.equal(settings.rateLimits, true)
  assert.equal(settings.trustProxy, false)
  assert.equal(settings.registration, 'open')
  assert.deepEqual(settings.corsOrigins, [])
})

test('SERVE-6 A variable goes before the file, and one that is set to nothing is not set', () => {
  const file = { port: 1, registration: 'closed', data: 'from-file' }
  const { settings, problems } = read({ HOLDFAST_PORT: '2', HOLDFAST_REGISTRATION: '' }, { file })
  assert.deepEqual(problems, [])
  assert.equal(settings.port, 2)
  assert.equal(settings.registration, 'closed')
  assert.equal(settings.data, '/srv/from-file')
})

test('SERVE-6 Texts become what they stand for', () => {
  const { settings, apps, problems } = read({
    HOLDFAST_APPS: ' journal, gallery ,',
    HOLDFAST_PUBLIC_URL: 'https://notes.example.org/base/',
    HOLDFAST_TRUST_PROXY: '10.0.0.0/8, ::1, loopback',
    HOLDFAST_CORS_ORIGINS: 'https://a.example,http://localhost:5173',
    HOLDFAST_RATE_LIMITS: 'off',
    HOLDFAST_SMTP_FROM: 'Ada <ada@example.org>',
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(apps, ['journal', 'gallery'])
  assert.equal(settings.publicUrl, 'https://notes.example.org/base')
  assert.equal(settings.trustProxy, '10.0.0.0/8,::1,loopback')
  assert.deepEqual(settings.corsOrigins, ['https://a.example', 'http://localhost:5173'])
  assert.equal(settings.rateLimits, false)
})

const wrong: Readonly<Record<SettingName, readonly string[]>> = {
  host: ['a b', 'http://x'],
  port: ['eighty', '65536', '-1', '1.5', '0x10'],
  data: ['a\0b'],
  databaseUrl: ['mysql://u:hunter2@h/d', 'hunter2'],
  storageUrl: ['https://hunter2', 's3'],
  redisUrl: ['http://hunter2'],
  apps: [',', 'Journal', 'a-b'],
  publicUrl: ['example.org', 'ftp://x', 'https://x/?a=1', 'https://x/#a', 'https://u:p@x/'],
  trustProxy: ['maybe', '10.0.0.0/33', '1.2.3.4/8/8', '10.0.0.0/0', ','],
  registration: ['Open', 'yes'],
  rateLimits: ['none'],
  smtpUrl: ['http://hunter2', 'mail'],
  smtpFrom: ['nobody', 'a@b\r\nBcc: c@d'],
  logLevel: ['verbose'],
  metricsToken: ['hunter2'],
  corsOrigins: ['*', 'https://a.example/path', 'example.org'],
  secret: ['hunter2'],
}

test('SERVE-5 Every setting has wrong values that are refused with what would be right, and what may be secret is not repeated', () => {
  for (const [name, { advice }] of Object.entries(settingSchemas)) {
    for (const value of wrong[name as SettingName]) {
      const { problems } = read({ [variableOf(name as SettingName)]: value })
      const [problem = ''] = problems
      assert.equal(problems.length, 1, `${name} ${JSON.stringify(value)}: ${problems.join(' ')}`)
      assert.ok(problem.startsWith(`${variableOf(name as SettingName)}: `) && problem.endsWith(advice), problem)
      assert.ok(!problem.includes('hunter2'), problem)
    }
  }
})

test('SERVE-5 All problems of variables and file are listed together', () => {
  const { problems } = read({ HOLDFAST_PORT: 'x', HOLDFAST_LOG_LEVEL: 'loud' }, { file: { registration: 'maybe', rateLimits: 7 } })
  assert.deepEqual(
    problems.map((problem) => problem.split(':')[0]),
    ['HOLDFAST_PORT', 'registration in holdfast.config.ts', 'rateLimits in holdfast.config.ts', 'HOLDFAST_LOG_LEVEL'],
  )
})

test('SERVE-7 What lets the guard down is taken only on this machine', () => {
  for (const unguarded of [{ HOLDFAST_RATE_LIMITS: 'off' }, { HOLDFAST_DEV_AUTH: '1' }]) {
    const [name] = Object.keys(unguarded)
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost']) assert.deepEqual(read({ ...unguarded, HOLDFAST_HOST: host }).problems, [], host)
    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'localhost.example.org', '127.example.org']) {
      const { problems } = read({ ...unguarded, HOLDFAST_HOST: host })
      assert.equal(problems.length, 1, host)
      assert.ok(problems[0]?.startsWith(`${name}: `), problems[0])
    }
  }
  assert.deepEqual(read({ HOLDFAST_HOST: '0.0.0.0', HOLDFAST_DEV_AUTH: '0' }).problems, [])
  assert.equal(read({ HOLDFAST_DEV_AUTH: 'yes' }).problems.length, 1)
})

test('SERVE-6 What this version cannot do is refused, not ignored', () => {
  assert.match(read({ HOLDFAST_STORAGE_URL: 's3://bucket' }).problems.join(), /HOLDFAST_STORAGE_URL.*Unset it/)
})

test('SERVE-6 An unknown name is warned of with the one that was probably meant; settings of apps are known', () => {
  const { problems, warnings } = read(
    { HOLDFAST_PROT: '1', HOLDFAST_SOMETHING_ELSE: '1', HOLDFAST_GALLERY_ROOT: '/photos', HOLDFAST_JOURNAL_TEXT_MAX: '5', HOLDFAST_TEST_KILLS: '3', OTHER: 'x' },
    { file: { databaseURL: 'x' } },
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(warnings, [
    'HOLDFAST_PROT is no setting; did you mean HOLDFAST_PORT? It is ignored.',
    'HOLDFAST_SOMETHING_ELSE is no setting. It is ignored.',
    'databaseURL in holdfast.config.ts is no setting; did you mean databaseUrl? It is ignored.',
  ])
})
