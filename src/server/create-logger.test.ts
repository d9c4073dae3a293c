import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from './create-logger.ts'

test('SERVE-10 The log is one JSON object a line, without whatever is a credential by its name', () => {
  const written: string[] = []
  const log = createLogger('info', { write: (line) => written.push(line) })
  const secret = 'hunter2'
  log.info({ authorization: secret, kept: 'yes' }, 'top')
  log.warn({ req: { headers: { authorization: secret, cookie: secret, 'x-api-key': secret, 'set-cookie': secret, accept: 'kept' } } }, 'headers')
  log.error(
    { body: { password: secret, newPassword: secret, currentPassword: secret, refreshToken: secret, device: { id: 'kept' } }, answer: { accessToken: secret, deep: { token: secret } } },
    'bodies',
  )
  log.debug('below the level')
  assert.equal(written.length, 3)
  assert.ok(!written.join('').includes(secret), written.join(''))
  const [top, headers] = written.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual([top?.['authorization'], top?.['kept'], top?.['msg']], ['[secret]', 'yes', 'top'])
  assert.match(String(top?.['time']), /^\d{4}-\d\d-\d\dT.*Z$/)
  assert.match(JSON.stringify(headers), /"accept":"kept"/)
})
