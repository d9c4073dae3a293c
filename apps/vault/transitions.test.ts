import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statuses } from './app.ts'
import { openTestVault } from './open-test-vault.ts'
import { actionOfMove, allowedActions, isAllowed, stateAfter, type Action } from './transitions.ts'

const actions: readonly Action[] = ['confirm', 'discard', 'edit', 'archive', 'retry', 'cancel', 'restore', 'enrich']

/** The table of the contract: the state behind each action, in the order above; `-` where it is refused. */
const table = {
  ENRICHING: '- - - - - FAILED - -',
  READY_TO_CONFIRM: 'ARCHIVED DISCARDED READY_TO_CONFIRM - - - - READY_TO_CONFIRM',
  FAILED: '- DISCARDED - ARCHIVED ENRICHING - - -',
  ARCHIVED: '- DISCARDED ARCHIVED - - - - ARCHIVED',
  DISCARDED: '- - - - - - FAILED -',
} as const

test('VLT-23 Every action in every state ends where the table says', () => {
  for (const status of statuses) {
    const cells = actions.map((action) => (isAllowed(status, action) ? stateAfter(status, action, 'FAILED') : '-'))
    assert.equal(cells.join(' '), table[status], status)
  }
  assert.deepEqual(allowedActions('READY_TO_CONFIRM'), ['confirm', 'discard', 'edit'])
})

test('VLT-23 A pushed status is the action that leads there', () => {
  assert.equal(actionOfMove('READY_TO_CONFIRM', 'ARCHIVED', null), 'confirm')
  assert.equal(actionOfMove('FAILED', 'ARCHIVED', null), 'archive')
  assert.equal(actionOfMove('FAILED', 'ENRICHING', null), 'retry')
  assert.equal(actionOfMove('ENRICHING', 'FAILED', null), 'cancel')
  assert.equal(actionOfMove('DISCARDED', 'READY_TO_CONFIRM', 'READY_TO_CONFIRM'), 'restore')
  for (const [from, to] of [
    ['ENRICHING', 'ARCHIVED'],
    ['ARCHIVED', 'ENRICHING'],
    ['DISCARDED', 'ARCHIVED'],
    ['ARCHIVED', 'ARCHIVED'],
  ] as const)
    assert.equal(actionOfMove(from, to, 'FAILED'), undefined)
})

test('VLT-8 10,000 characters outside the BMP are kept, one more is refused, and none where there is no address', async () => {
  await using world = await openTestVault()
  const user = await world.signUp()
  const make = (data: object) => user.call('POST', '/api/v1/vault/records/items', { data })
  const made = await make({ rawText: '🎒'.repeat(10_000) })
  assert.equal(made.status, 201)
  assert.equal((await make({ rawText: '🎒'.repeat(10_001) })).status, 422)
  assert.equal((await make({ rawText: '' })).status, 422)
  // As the client sends it, with the default of what was left out.
  assert.equal((await make({ rawText: '', url: 'https://example.org/' })).status, 201)
  assert.equal((await user.call('PATCH', `/api/v1/vault/records/items/${String(made.body['id'])}`, { data: { rawText: '' } })).status, 422)
})
