import { setTimeout as delay } from 'node:timers/promises'
import { collection, defineApp } from 'holdfast'
import { defineJob, hostApp } from 'holdfast/server'
import { z } from 'zod'

const app = defineApp({ name: 'clock', collections: { items: collection(z.object({ name: z.string() })) } })

/** Says on stdout that it has begun. */
function tell(kind: string): void {
  process.stdout.write(`${JSON.stringify({ began: kind })}\n`)
}

const LONG_MS = 500

/** What the processes of the tests about schedules and stopping run. */
export default {
  apps: [
    hostApp({
      app,
      jobs: {
        tick: defineJob(z.null(), async () => (tell('tick'), { kind: 'done' }), { schedule: { cron: '* * * * * *', payload: null } }),
        /** Takes a while; whoever stops the process meanwhile waits for it. */
        long: defineJob(z.null(), async () => {
          tell('long')
          await delay(LONG_MS)
          return { kind: 'done' }
        }),
      },
    }),
  ],
}
