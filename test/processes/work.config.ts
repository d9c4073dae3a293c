import { collection, defineApp } from 'holdfast'
import { defineJob, hostApp } from 'holdfast/server'
import { z } from 'zod'

const app = defineApp({ name: 'yard', collections: { items: collection(z.object({ name: z.string() })) } })

/** Each job says on stdout that it has begun, and makes one item. */
const note = defineJob(z.null(), async ({ id }) => {
  process.stdout.write(`${JSON.stringify({ began: id })}\n`)
  return { kind: 'done', write: { mutations: [{ collection: 'items', id, op: 'put', data: { name: id } }] } }
})

/** What the worker processes of these tests run. */
export default { apps: [hostApp({ app, jobs: { note } })] }
