import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { collection } from '../app/collection.ts'
import { defineApp } from '../app/define-app.ts'
import type { RuleContext, RuleOutcome } from '../app/rule.ts'
import { defineJob, type JobContext, type JobOutcome } from '../jobs/define-job.ts'
import { JobFailure } from '../jobs/job-failure.ts'
import { openTestServer, type TestServer, type TestUser } from '../testing/open-test-server.ts'
import { hostApp } from './host-app.ts'
import type { WireJob } from './wire-job.ts'

const app = defineApp({
  name: 'shop',
  spaces: 'organisation',
  collections: {
    items: collection(z.object({ name: z.string().max(100), state: z.string().max(20).default('new') })),
    secrets: collection(z.object({ name: z.string() }), { access: { read: 'owner' } }),
  },
})

/** Every new item is weighed and looked up; what the test decides is how that ends. */
function weighed({ id, operation, stored, sent }: RuleContext): RuleOutcome {
  if (stored?.fields['name'] === 'sealed' && sent['state'] === 'again') return { kind: 'refuse', code: 'SEALED', message: 'Nobody weighs this again.' }
  if (operation !== 'create') return { kind: 'accept' }
  const name = String(sent['name'])
  return { kind: 'accept', jobs: [{ kind: 'weigh', payload: { id, name }, uniqueKey: id, record: { collection: 'items', id } }] }
}

const payload = z.object({ id: z.string(), name: z.string() })
type Weigh = (name: string, context: JobContext) => Promise<JobOutcome>

function hosted(weigh: Weigh) {
  const patch = (id: string, state: string) => ({ mutations: [{ collection: 'items', id, op: 'patch', data: { state } }] }) as const
  return hostApp({
    app,
    rules: {
      items: weighed,
      secrets: ({ id, operation }) => (operation === 'create' ? { kind: 'accept', jobs: [{ kind: 'guard', payload: null, record: { collection: 'secrets', id } }] } : { kind: 'accept' }),
    },
    jobs: {
      weigh: defineJob(payload, async (job, context) => weigh(job.payload.name, context), {
        collection: 'items',
        attempts: 2,
        backoffMs: [1_000],
        ended: (job) => patch(job.payload.id, job.end),
        retried: (job) => patch(job.payload.id, 'again'),
      }),
      price: defineJob(payload, async () => ({ kind: 'done' }), { collection: 'items' }),
      guard: defineJob(z.null(), async () => ({ kind: 'done' }), { collection: 'secrets' }),
    },
  })
}

interface World {
  readonly server: TestServer
  readonly ada: TestUser
  readonly space: string
  get<Body>(path: string, user?: TestUser): Promise<{ readonly status: number; readonly body: Body }>
  post<Body>(path: string, body?: unknown, headers?: Readonly<Record<string, string>>, user?: TestUser): Promise<{ readonly status: number; readonly body: Body; readonly replayed: boolean }>
  addItem(id: string, name: string): Promise<void>
  member(email: string, role: 'viewer' | 'editor'): Promise<TestUser>
  finish(): Promise<void>
}

async function openWorld(server: TestServer): Promise<World> {
  const ada = await server.register('ada@example.org')
  await server.database.write((tx) => tx.query.updateTable('holdfast_users').set({ server_role: 'admin' }).execute())
  const made = await server.http.inject({ method: 'POST', url: '/api/v1/spaces', headers: ada.headers, payload: { app: 'shop', name: 'shop' } })
  const space = made.json().id as string
  const address = (path: string) => `/api/v1/shop/${path}${path.includes('?') ? '&' : '?'}space=${space}`
  const world: World = {
    server,
    ada,
    space,
    get: async (path, user = ada) => {
      const answer = await server.http.inject({ url: address(path), headers: user.headers })
      return { status: answer.statusCode, body: answer.json() }
    },
    post: async (path, body, headers = {}, user = ada) => {
      const answer = await server.http.inject({ method: 'POST', url: address(path), headers: { ...user.headers, ...headers }, ...(body === undefined ? {} : { payload: body as object }) })
      return { status: answer.statusCode, body: answer.json(), replayed: answer.headers['idempotency-replayed'] === 'true' }
    },
    addItem: async (id, name) => assert.equal((await world.post('records/items', { id, data: { name } })).status, 201),
    member: async (email, role) => {
      const user = await server.register(email)
      const set = await server.http.inject({ method: 'PUT', url: `/api/v1/spaces/${space}/members/${user.userId}`, headers: ada.headers, payload: { role } })
      assert.ok(set.statusCode < 300, set.body)
      return user
    },
    finish: async () => {
      while ((await server.runner.runOnce()) > 0) await server.runner.settled()
    },
  }
  return world
}

interface Work {
  readonly steps: readonly { readonly kind: string; readonly outcome: string; readonly job: WireJob | null }[]
}

test('JOB-17 A record shows its steps with outcome, reason, attempts and next attempt, and what was not tried', async () => {
  await using server = await openTestServer({
    apps: [hosted(async (name) => (name === 'bad' ? Promise.reject(new JobFailure('scale', 'The scale is broken.')) : { kind: name as 'done' | 'empty' | 'refused' }))],
  })
  const world = await openWorld(server)
  for (const name of ['done', 'empty', 'refused', 'bad']) await world.addItem(name, name)
  const outcomes = async () => {
    const all = await Promise.all(['done', 'empty', 'refused', 'bad'].map(async (id) => (await world.get<Work>(`records/items/${id}/work`)).body.steps))
    assert.ok(all.every((steps) => steps.map(({ kind }) => kind).join() === 'price,weigh' && steps[0]?.outcome === 'not tried' && steps[0].job === null))
    return all.map((steps) => steps[1]?.outcome)
  }
  assert.deepEqual(await outcomes(), ['waiting', 'waiting', 'waiting', 'waiting'])
  await world.finish()
  assert.deepEqual(await outcomes(), ['done', 'empty', 'refused', 'waiting'])
  const { job } = (await world.get<Work>('records/items/bad/work')).body.steps[1] ?? assert.fail()
  assert.deepEqual([job?.attempts, job?.attemptsMax, job?.reason], [1, 2, { code: 'scale', message: 'The scale is broken.' }])
  assert.ok(job !== null && (job?.nextAt ?? 0) > server.chance.now())
  server.advance(1_300)
  await world.finish()
  assert.deepEqual(await outcomes(), ['done', 'empty', 'refused', 'failed'])
  assert.equal((await world.get<{ data: { state: string } }>('records/items/bad')).body.data.state, 'dead')
  assert.equal((await world.get('records/items/none/work')).status, 404)
})

test('JOB-18 A person starts a failed job once more, under the change log, and what its kind writes then is in the same commit', async () => {
  let broken = true
  await using server = await openTestServer({ apps: [hosted(async () => (broken ? Promise.reject(new JobFailure('scale', 'Broken.', { final: true })) : { kind: 'done' }))] })
  const world = await openWorld(server)
  await world.addItem('one', 'one')
  await world.finish()
  const [job] = (await world.get<{ jobs: WireJob[] }>('jobs?state=failed')).body.jobs
  assert.equal(job?.state, 'failed')
  broken = false
  const key = { 'idempotency-key': 'k1' }
  const again = await world.post<WireJob>(`jobs/${job.id}/retry`, undefined, key)
  assert.deepEqual([again.status, again.body.state, again.body.attempts, again.body.reason, again.replayed], [200, 'waiting', 0, null, false])
  assert.equal((await world.get<{ data: { state: string } }>('records/items/one')).body.data.state, 'again')
  await world.finish()
  const repeated = await world.post<WireJob>(`jobs/${job.id}/retry`, undefined, key)
  assert.deepEqual([repeated.status, repeated.body, repeated.replayed], [200, again.body, true])
  const done = await world.post<{ code: string }>(`jobs/${job.id}/retry`)
  assert.deepEqual([done.status, done.body.code], [409, 'job.state'])
  const { body } = await world.get<{ entries: { action: string; entityId: string }[] }>('audit?action=jobs.retry')
  assert.deepEqual(
    body.entries.map(({ entityId }) => entityId),
    [job.id],
  )
})

test('JOB-18 A person cancels a job that runs: it is told to stop and ends as cancelled; an ended one is 409', async () => {
  const begun = Promise.withResolvers<AbortSignal>()
  await using server = await openTestServer({ apps: [hosted((_, { signal }) => (begun.resolve(signal), new Promise(() => {})))] })
  const world = await openWorld(server)
  await world.addItem('one', 'one')
  await server.runner.runOnce()
  const signal = await begun.promise
  const [job] = (await world.get<{ jobs: WireJob[] }>('jobs?state=running')).body.jobs
  const cancelled = await world.post<WireJob>(`jobs/${job?.id}/cancel`)
  assert.deepEqual([cancelled.status, cancelled.body.state, cancelled.body.reason?.code], [200, 'cancelled', 'by_hand'])
  assert.equal(signal.aborted, true)
  assert.equal((await world.get<{ data: { state: string } }>('records/items/one')).body.data.state, 'cancelled')
  assert.equal((await world.post(`jobs/${job?.id}/cancel`)).status, 409)
  const skipped = await world.post<WireJob>(`jobs/${job?.id}/skip`)
  assert.deepEqual([skipped.status, skipped.body.state], [200, 'skipped'])
})

test('JOB-18 What cannot be done to a job in its state is job.state, also where a rule would refuse what its kind writes for it', async () => {
  let isBroken = false
  await using server = await openTestServer({ apps: [hosted(async () => (isBroken ? Promise.reject(new JobFailure('scale', 'Broken.', { final: true })) : { kind: 'done' }))] })
  const world = await openWorld(server)
  const retryOf = async (id: string) => {
    await world.addItem(id, 'sealed')
    await world.finish()
    const [job] = (await world.get<{ jobs: WireJob[] }>('jobs?kind=weigh')).body.jobs
    const { status, body } = await world.post<{ code: string }>(`jobs/${job?.id}/retry`)
    return [status, body.code]
  }
  assert.deepEqual(await retryOf('done'), [409, 'job.state'])
  isBroken = true
  assert.deepEqual(await retryOf('failed'), [409, 'record.refused'])
})

test('JOB-19 Jobs are listed by pages, by state and kind; no answer shows a payload', async () => {
  await using server = await openTestServer({ apps: [hosted(async () => ({ kind: 'done' }))] })
  const world = await openWorld(server)
  for (let index = 0; index < 7; index += 1) await world.addItem(`i${index}`, 'hidden-name')
  const seen: string[] = []
  let cursor: string | null = ''
  for (let page = 0; cursor !== null && page < 10; page += 1) {
    const answer: { body: { jobs: WireJob[]; cursor: string | null } } = await world.get(`jobs?kind=weigh&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)
    assert.ok(!JSON.stringify(answer.body).includes('hidden-name'))
    seen.push(...answer.body.jobs.map(({ recordId }) => recordId ?? ''))
    cursor = answer.body.cursor
  }
  assert.deepEqual(seen, ['i6', 'i5', 'i4', 'i3', 'i2', 'i1', 'i0'])
  assert.equal((await world.get<{ jobs: WireJob[] }>('jobs?state=done')).body.jobs.length, 0)
  for (const wrong of ['jobs?state=dead', 'jobs?limit=0', 'jobs?cursor=junk', 'jobs?kind=', 'jobs/%00']) assert.equal((await world.get(wrong)).status, 400, wrong)
})

test('JOB-20 Jobs follow access to their records: above the role they do not exist, a viewer changes none, and another space sees none', async () => {
  await using server = await openTestServer({ apps: [hosted(async () => ({ kind: 'done' }))] })
  const world = await openWorld(server)
  await world.addItem('one', 'one')
  assert.equal((await world.post('records/secrets', { id: 's', data: { name: 's' } })).status, 201)
  const viewer = await world.member('vic@example.org', 'viewer')
  const stranger = await server.register('eve@example.org')
  const all = (await world.get<{ jobs: WireJob[] }>('jobs')).body.jobs
  const [guard, weigh] = [all.find(({ kind }) => kind === 'guard'), all.find(({ kind }) => kind === 'weigh')]
  assert.ok(guard !== undefined && weigh !== undefined)
  assert.deepEqual(
    (await world.get<{ jobs: WireJob[] }>('jobs', viewer)).body.jobs.map(({ kind }) => kind),
    ['weigh'],
  )
  assert.equal((await world.get(`jobs/${guard.id}`, viewer)).status, 404)
  for (const action of ['retry', 'cancel', 'skip']) {
    assert.equal((await world.post(`jobs/${guard.id}/${action}`, undefined, {}, viewer)).status, 404)
    assert.equal((await world.post(`jobs/${weigh.id}/${action}`, undefined, {}, viewer)).status, 403)
    assert.equal((await world.post(`jobs/${weigh.id}/${action}`, undefined, {}, stranger)).status, 404)
    assert.equal((await world.post(`jobs/none/${action}`)).status, 404)
  }
  assert.equal((await world.get('records/secrets/s/work', viewer)).status, 403)
  assert.equal((await world.get('jobs', stranger)).status, 404)
})
