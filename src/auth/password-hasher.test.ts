import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOptions } from '@node-rs/argon2'
import { cheapPasswords } from '../testing/open-test-accounts.ts'
import { createPasswordHasher, passwordCost } from './password-hasher.ts'

test('AUTH-4 A password is kept as Argon2id with 64 MiB, two passes and one lane', async () => {
  assert.deepEqual(passwordCost, { memoryKib: 65_536, passes: 2 })
  const hasher = createPasswordHasher()
  const hash = await hasher.hash('correct horse')
  assert.match(hash, /^\$argon2id\$v=19\$m=65536,t=2,p=1\$/)
  assert.equal(parseOptions(hash).memoryCost, 65_536)
  assert.notEqual(await hasher.hash('correct horse'), hash)
  assert.equal(await hasher.verify(hash, 'correct horse'), true)
  assert.equal(await hasher.verify(hash, 'Correct horse'), false)
})

test('AUTH-5 Verifying for nobody answers false whatever is typed', async () => {
  const hasher = createPasswordHasher(cheapPasswords)
  for (const password of ['', 'correct horse', '\u0000', 'A'.repeat(256)]) assert.equal(await hasher.verify(undefined, password), false)
})

test('AUTH-4 More than 200 waiting hashes are asked to come later, and those that wait are served', async () => {
  const hasher = createPasswordHasher(cheapPasswords)
  const outcomes = await Promise.allSettled(Array.from({ length: 210 }, () => hasher.hash('correct horse')))
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason.code)
  assert.deepEqual(
    refused,
    Array.from({ length: 7 }, () => 'rate.limited'),
  )
  await hasher.hash('correct horse')
})
