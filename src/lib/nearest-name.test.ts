import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestName } from './nearest-name.ts'

test('CLI-1 The nearest name is one that differs by a few letters; a strange word has none', () => {
  const names = ['serve', 'seed', 'migrate', 'key add']
  assert.equal(nearestName('srve', names), 'serve')
  assert.equal(nearestName('sevre', names), 'serve')
  assert.equal(nearestName('migrat', names), 'migrate')
  assert.equal(nearestName('keyadd', names), 'key add')
  assert.equal(nearestName('seed', names), 'seed')
  assert.equal(nearestName('frobnicate', names), undefined)
  assert.equal(nearestName('', names), undefined)
  assert.equal(nearestName('x', []), undefined)
})
