import { z } from 'zod'
import type { Scope } from '../app/rule.ts'
import type { JobWrite } from '../jobs/define-job.ts'
import type { JsonValue } from '../lib/json.ts'
import { isWellFormedText } from '../lib/well-formed-text.ts'
import { idSchema } from '../protocol/ids.ts'
import { Problem } from '../protocol/problem.ts'
import type { JobAction } from '../storage/job-change.ts'
import { findJob, jobsOfRecord, listJobs, type JobRow } from '../storage/job-list.ts'
import { jobWriteRequest } from '../storage/job-write.ts'
import { getRecord } from '../storage/read-records.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { idempotencyOf, writeHeadersSchema } from './idempotency.ts'
import { decodeListCursor, encodeListCursor } from './list-cursor.ts'
import { rejectionProblem } from './record-answer.ts'
import { appOf, checkScope, readableCollection, readableNames, requireRole } from './route-scope.ts'
import { appParamsSchema, jsonAnswer, needsCredential, pageQuerySchema, recordParamsSchema, refusals, spaceQuerySchema } from './route-schema.ts'
import { jobSchema, shownStates, statesOf, wireJob, type WireJob } from './wire-job.ts'

const tags = ['jobs']
const security = needsCredential
const KIND_CHARS_MAX = 100
const oneJobSchema = appParamsSchema.extend({ id: idSchema })

/** `…/jobs`: work that follows writes, and what became of it; and the same from a record's side. */
export function registerJobRoutes(server: HttpServer, context: HttpContext): void {
  registerList(server, context)
  registerShow(server, context)
  registerAction(server, context, {
    action: 'retry',
    summary: 'Start an ended job once more, or a waiting one now',
    description: 'Its attempts begin anew. A job that was done, or is running, is 409 `job.state`.',
  })
  registerAction(server, context, {
    action: 'cancel',
    summary: 'End a job that waits or runs',
    description: 'One that runs is told to stop, and nothing that it brings later is written. An ended one is 409 `job.state`.',
  })
  registerAction(server, context, { action: 'skip', summary: 'Go on without a job', description: 'For one that waits, runs, has failed or was cancelled; else 409 `job.state`.' })
  registerWork(server, context)
}

function registerList(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/jobs',
    schema: {
      operationId: 'listJobs',
      tags,
      summary: 'Jobs of the space, newest first',
      security,
      params: appParamsSchema,
      querystring: pageQuerySchema.extend({ state: z.enum(shownStates).optional(), kind: z.string().min(1).max(KIND_CHARS_MAX).refine(isWellFormedText, 'Not well-formed text.').optional() }),
      response: { 200: jsonAnswer('A page; `cursor` is null on the last.', z.object({ jobs: z.array(jobSchema), cursor: z.string().nullable() })), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const { state, kind, limit, cursor } = request.query
      const list = ['jobs', scope.space, state ?? null, kind ?? null]
      const before = decodeListCursor(list, cursor)?.[0]
      const page = {
        space: scope.space,
        collections: readableNames(appOf(context, scope.app), scope),
        states: state === undefined ? undefined : statesOf[state],
        kind,
        before: before === undefined ? undefined : String(before),
        limit: limit + 1,
      }
      const rows = await context.database.read((reader) => listJobs(reader, page))
      const jobs = rows.slice(0, limit)
      const last = rows.length > limit ? jobs.at(-1) : undefined
      return reply.send({ jobs: jobs.map((row) => shown(context, scope, row)), cursor: last === undefined ? null : encodeListCursor(list, [last.id]) })
    },
  })
}

function registerShow(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/jobs/:id',
    schema: {
      operationId: 'getJob',
      tags,
      summary: 'One job',
      security,
      params: oneJobSchema,
      querystring: spaceQuerySchema,
      response: { 200: jsonAnswer('The job.', jobSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      return reply.send(shown(context, scope, await visibleJob(context, scope, request.params.id)))
    },
  })
}

interface Action {
  readonly action: JobAction
  readonly summary: string
  readonly description: string
}

function registerAction(server: HttpServer, context: HttpContext, { action, summary, description }: Action): void {
  server.route({
    method: 'POST',
    url: `/api/v1/:app/jobs/:id/${action}`,
    schema: {
      operationId: `${action}Job`,
      tags,
      summary,
      description,
      security,
      params: oneJobSchema,
      querystring: spaceQuerySchema,
      headers: writeHeadersSchema,
      response: { 200: jsonAnswer('The job as it is now.', jobSchema), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const { id } = request.params
      const job = await visibleJob(context, scope, id)
      requireRole(scope, 'editor')
      const { idempotency } = idempotencyOf(request, null, async (_, reader) => {
        const changed = await findJob(reader, scope.space, id)
        return changed === undefined ? undefined : { status: 200, body: JSON.stringify(shown(context, scope, changed)) }
      })
      const result = await context.commit(scope, {
        ...jobWriteRequest(writeOf(context, scope, { job, action })),
        jobChange: { id, action },
        events: [{ action: `jobs.${action}`, entity: 'jobs', entityId: id, detail: { kind: job.kind } }],
        ...(idempotency === undefined ? {} : { idempotency }),
      })
      if (result.replayed !== undefined) return reply.header('idempotency-replayed', 'true').type('application/json; charset=utf-8').send(result.replayed.body)
      const refused = result.outcomes.find((outcome) => outcome.status === 'rejected')
      if (refused?.status === 'rejected') throw rejectionProblem(refused.error, null)
      return reply.send(shown(context, scope, await visibleJob(context, scope, id)))
    },
  })
}

/** What the kind of the job writes when a person ends it or starts it again. */
function writeOf(context: HttpContext, { app }: Scope, { job, action }: { readonly job: JobRow; readonly action: JobAction }): JobWrite {
  const definition = context.apps.get(app)?.jobs?.[job.kind]
  if (definition === undefined) return {}
  const { id, kind, uniqueKey, collection, record } = job
  const view = { id, kind, payload: JSON.parse(job.payload) as JsonValue, record: collection === null || record === null ? undefined : { collection, id: record }, uniqueKey: uniqueKey ?? undefined }
  if (action === 'retry') return definition.retried(view)
  const end = action === 'cancel' ? 'cancelled' : 'skipped'
  return definition.ended({ ...view, attempts: job.attempts, end, reason: { code: 'by_hand', message: `${action === 'cancel' ? 'Cancelled' : 'Skipped'} by a person.` } })
}

const stepSchema = z.object({
  kind: z.string(),
  outcome: z.enum([...shownStates, 'not tried']),
  job: jobSchema.nullable(),
})

function registerWork(server: HttpServer, context: HttpContext): void {
  server.route({
    method: 'GET',
    url: '/api/v1/:app/records/:collection/:id/work',
    schema: {
      operationId: 'getRecordWork',
      tags,
      summary: 'What was done for a record: its steps, with outcome, reason, attempts and next attempt',
      description: 'One step per kind of job that the app has for the collection, with its newest job; `not tried` has none.',
      security,
      params: recordParamsSchema.extend({ id: idSchema }),
      querystring: spaceQuerySchema,
      response: { 200: jsonAnswer('The steps, by kind.', z.object({ steps: z.array(stepSchema) })), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const collection = readableCollection(appOf(context, scope.app), scope, request.params.collection)
      const { id } = request.params
      const rows = await context.database.read(async (reader) => {
        const record = await getRecord(reader, collection, scope.space, id)
        if (record === undefined || record.deletedAt !== null) throw new Problem('not_found')
        return jobsOfRecord(reader, scope.space, { collection: collection.name, id })
      })
      const jobs = new Map<string, WireJob>(rows.map((row) => [row.kind, shown(context, scope, row)]))
      const declared = Object.entries(context.apps.get(scope.app)?.jobs ?? {}).flatMap(([kind, definition]) => (definition.collection === collection.name ? [kind] : []))
      const kinds = [...new Set([...declared, ...jobs.keys()])].toSorted()
      const steps = kinds.map((kind) => ({ kind, outcome: jobs.get(kind)?.state ?? ('not tried' as const), job: jobs.get(kind) ?? null }))
      return reply.send({ steps })
    },
  })
}

/** A job of the space whose record the caller may read; any other does not exist for them. */
async function visibleJob(context: HttpContext, scope: Scope, id: string): Promise<JobRow> {
  const job = await context.database.read((reader) => findJob(reader, scope.space, id))
  const names = readableNames(appOf(context, scope.app), scope)
  if (job === undefined || (names !== undefined && job.collection !== null && !names.includes(job.collection))) throw new Problem('not_found')
  return job
}

function shown(context: HttpContext, { app }: Scope, row: JobRow): WireJob {
  return wireJob(context.apps.get(app)?.jobs, row)
}
