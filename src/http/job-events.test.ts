import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import { defineJob, type JobContext } from '../jobs/define-job.ts'
import { JobFailure } from '../jobs/job-failure.ts'
import { openTestServer, type TestServer, type TestUser } from '../testing/open-test-server.ts'
import { readEvents } from '../testing/read-events.ts'
import { hostApp } from './host-app.ts'
import type { WireJob } from './wire-job.ts'

interface JobEventData {
  readonly space: string
  readonly jobs?: readonly WireJob[]
  readonly more?: true
}

const app = defineApp({
  name: 'mill',
  spaces: 'organisation',
  collections: { grains: collection(z.object({ name: z.string() })), secrets: collection(z.object({ name: z.string() }), { access: { read: 'owner' } }) },
})

/** Every new record is ground: the test decides how. */
function hosted(grind: (id: string, context: JobContext) => Promise<void>) {
  const rule =
    (name: string) =>
    ({ id, operation }: { readonly id: string; readonly operation: string }) =>
      operation === 'create' ? ({ kind: 'accept', jobs: [{ kind: 'grind', payload: id, record: { collection: name, id } }] } as const) : ({ kind: 'accept' } as const)
  const job = defineJob(z.string(), async ({ payload }, context) => (await grind(payload, context), { kind: 'done' }), { attempts: 1 })
  return hostApp({ app, rules: { grains: rule('grains'), secrets: rule('secrets') }, jobs: { grind: job } })
}

async function openMill(world: TestServer) {
  const ada = await world.register('ada@example.org')
  await world.database.write((tx) => tx.query.updateTable('holdfast_users').set({ server_role: 'admin' }).execute())
  const made = await world.http.inject({ method: 'POST', url: '/api/v1/spaces', headers: ada.headers, payload: { app: 'mill', name: 'mill' } })
  const space = made.json().id as string
  const add = async (collectionName: string, ids: readonly string[], user: TestUser = ada) => {
    const mutations = ids.map((id) => ({ collection: collectionName, id, op: 'put', data: { name: id } }))
    const answer = await world.http.inject({ method: 'POST', url: `/api/v1/mill/push?space=${space}`, headers: user.headers, payload: { mutations } })
    assert.equal(answer.statusCode, 200)
  }
  const member = async (email: string, role: 'viewer' | 'editor') => {
    const user = await world.register(email)
    const answer = await world.http.inject({ method: 'PUT', url: `/api/v1/spaces/${space}/members/${user.userId}`, headers: ada.headers, payload: { role } })
    assert.ok(answer.statusCode < 300, answer.body)
    return user
  }
  return { ada, space, add, member, listen: (user: TestUser) => listenForJobs(world, user, space) }
}

/** What is told of jobs, until one event makes the condition true. */
async function listenForJobs(world: TestServer, user: TestUser, space: string) {
  const stream = await readEvents<JobEventData>(`${world.url}/api/v1/mill/events?space=${space}`, user.headers)
  assert.equal((await stream.next())?.event, 'ready')
  const until = async (isLast: (data: JobEventData) => boolean): Promise<readonly JobEventData[]> => {
    const told: JobEventData[] = []
    for (;;) {
      const event = await stream.next()
      if (event === undefined) return told
      if (event.event !== 'job') continue
      told.push(event.data)
      if (isLast(event.data)) return told
    }
  }
  return { until, close: () => stream.close() }
}

const hasState = (state: string) => (data: JobEventData) => data.jobs?.some((job) => job.state === state) === true

test('EVT-7 A stream tells that a job waits, runs, how far it is, and how it ended, with its record', async () => {
  const halfway = Promise.withResolvers<void>()
  await using world = await openTestServer({
    apps: [
      hosted(async (_, { progress }) => {
        await progress(0.5, 'half a sack')
        await halfway.promise
        throw new JobFailure('stone.broken', 'The stone broke.')
      }),
    ],
  })
  const { ada, space, add, listen } = await openMill(world)
  const stream = await listen(ada)
  await add('grains', ['rye'])
  const [waiting] = await stream.until(hasState('waiting'))
  assert.equal(waiting?.space, space)
  const [job] = waiting.jobs ?? []
  assert.deepEqual([job?.kind, job?.collection, job?.recordId, job?.progress], ['grind', 'grains', 'rye', null])
  await world.runner.runOnce()
  const running = await stream.until((data) => data.jobs?.[0]?.progress !== null)
  assert.deepEqual(
    running.at(-1)?.jobs?.map(({ id, state, progress }) => [id, state, progress]),
    [[job?.id, 'running', { fraction: 0.5, label: 'half a sack' }]],
  )
  halfway.resolve()
  await world.runner.settled()
  const ended = await stream.until(hasState('failed'))
  assert.deepEqual(
    ended.at(-1)?.jobs?.map(({ attempts, reason }) => [attempts, reason]),
    [[1, { code: 'stone.broken', message: 'The stone broke.' }]],
  )
  const again = await world.http.inject({ method: 'POST', url: `/api/v1/mill/jobs/${job?.id}/skip?space=${space}`, headers: ada.headers })
  assert.equal(again.statusCode, 200)
  await stream.until(hasState('skipped'))
  stream.close()
})

test('EVT-7 Nobody is told of jobs of records that they may not read, or of another space', async () => {
  await using world = await openTestServer({ apps: [hosted(async () => {})] })
  const { ada, add, member, listen } = await openMill(world)
  const viewer = await member('bob@example.org', 'viewer')
  const [owners, viewers] = [await listen(ada), await listen(viewer)]
  await add('secrets', ['recipe'])
  await owners.until((data) => data.jobs?.[0]?.collection === 'secrets')
  await add('grains', ['rye'])
  const told = await viewers.until(hasState('waiting'))
  assert.deepEqual(
    told.flatMap(({ jobs = [] }) => jobs.map(({ recordId }) => recordId)),
    ['rye'],
  )
  owners.close()
  viewers.close()
})

test('EVT-7 Of many jobs it is told that there are many', async () => {
  await using world = await openTestServer({ apps: [hosted(async () => {})] })
  const { ada, space, add, listen } = await openMill(world)
  const stream = await listen(ada)
  await add(
    'grains',
    Array.from({ length: 200 }, (_, index) => `grain-${index}`),
  )
  assert.deepEqual((await stream.until(({ more }) => more === true)).at(-1), { space, more: true })
  stream.close()
})
