import { setTimeout as delay } from 'node:timers/promises'
import { collection, defineApp } from 'holdfast'
import { defineJob, hostApp } from 'holdfast/server'
import { z } from 'zod'

const app = defineApp({ name: 'mill', collections: { grains: collection(z.object({ name: z.string() })) } })

const LOOK_MS = 20

/** A process grinds one at a time, says that it does, and goes on once there is a grain called `go`; then the grain is flour. */
const grind = defineJob(
  z.null(),
  async ({ record }, { progress, records }) => {
    await progress(0.5, `process ${process.pid}`)
    while ((await records.get('grains', 'go')) === undefined) await delay(LOOK_MS)
    const ground = record === undefined ? [] : [{ collection: 'grains', id: record.id, op: 'patch', data: { name: 'flour' } } as const]
    return { kind: 'done', write: { mutations: ground } }
  },
  { lane: 'slow', concurrency: 1 },
)

/** What the server processes of the tests about jobs run. */
export default {
  apps: [
    hostApp({
      app,
      rules: { grains: ({ id, operation }) => ({ kind: 'accept', jobs: operation === 'create' && id !== 'go' ? [{ kind: 'grind', payload: null, record: { collection: 'grains', id } }] : [] }) },
      jobs: { grind },
    }),
  ],
}
