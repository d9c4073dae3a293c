import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownState, startingStatus, type Status } from './status.ts'

test('SDK-42 The state that is shown is the first of its order that applies', () => {
  const worst: Status = {
    ...startingStatus,
    signedIn: 'signed-out',
    paused: true,
    lost: true,
    storageFull: true,
    rejected: 2,
    conflicts: 3,
    online: false,
    progress: { phase: 'sending', done: 1, total: 9 },
    retryAt: 5,
    pending: 4,
    lastSuccessAt: 7,
  }
  const steps: readonly (readonly [Partial<Status>, ReturnType<typeof shownState>])[] = [
    [{}, { kind: 'signed-out' }],
    [{ signedIn: 'sign-in-again' }, { kind: 'backup-off', waiting: 4 }],
    [{ paused: false }, { kind: 'sign-in-again' }],
    [{ signedIn: 'signed-in' }, { kind: 'space-lost', waiting: 4 }],
    [{ lost: false }, { kind: 'storage-full' }],
    [{ storageFull: false }, { kind: 'rejected', count: 2 }],
    [{ rejected: 0 }, { kind: 'conflicts', count: 3 }],
    [{ conflicts: 0 }, { kind: 'offline', waiting: 4 }],
    [{ online: true }, { kind: 'syncing', done: 1, total: 9 }],
    [{ progress: null }, { kind: 'retrying', at: 5 }],
    [{ retryAt: null }, { kind: 'waiting', count: 4 }],
    [{ pending: 0 }, { kind: 'up-to-date', at: 7 }],
  ]
  let status = worst
  for (const [change, shown] of steps) {
    status = { ...status, ...change }
    assert.deepEqual(shownState(status), shown)
  }
})
