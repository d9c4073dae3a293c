import { Readable, pipeline } from 'node:stream'
import { z } from 'zod'
import { limits } from '../protocol/limits.ts'
import { snapshot } from '../storage/snapshot.ts'
import { createPlaces, whenOver } from './account-places.ts'
import { codingFor } from './compress.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { collectionsQuerySchema } from './pull-route.ts'
import { appOf, askedCollections, checkScope } from './route-scope.ts'
import { appParamsSchema, needsCredential, refusals, spaceQuerySchema, textAnswer } from './route-schema.ts'

const versionQuerySchema = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

const snapshotQuerySchema = spaceQuerySchema.extend({
  ...collectionsQuerySchema.shape,
  after: versionQuerySchema.default(0).meta({ description: 'Version of the last record received from a snapshot that broke.' }),
  began: versionQuerySchema
    .optional()
    .meta({ description: 'Version in the head of the first snapshot, of which the broken ones are parts. Without it the reader is taken to know nothing behind `after`.' }),
})

/** `GET …/snapshot`: the whole space as JSON lines, in bounded memory on both sides. */
export function registerSnapshotRoute(server: HttpServer, context: HttpContext): void {
  let isClosing = false
  const takePlace = createPlaces({ max: limits.SNAPSHOTS_MAX, what: 'snapshots' })
  server.addHook('preClose', async () => {
    isClosing = true
  })
  server.route({
    method: 'GET',
    url: '/api/v1/:app/snapshot',
    exposeHeadRoute: false,
    schema: {
      operationId: 'snapshot',
      tags: ['sync'],
      summary: 'All live records as JSON lines, for a first sync',
      description:
        'A head line, one record per line in the order of versions, and a last line with the cursor where pull goes on. A stream without the last line was cut: ask again with `after` and `began`.',
      security: needsCredential,
      params: appParamsSchema,
      querystring: snapshotQuerySchema,
      response: { 200: textAnswer('JSON lines.', 'application/x-ndjson'), ...refusals },
    },
    onRequest: checkScope(context),
    handler: async (request, reply) => {
      const scope = await context.scopeOf(request, request.params.app)
      const app = appOf(context, scope.app)
      const asked = askedCollections(app, scope, request.query)
      whenOver(reply, takePlace(await context.principalOf(request)))
      const { after, began } = request.query
      const lines = snapshot(context.database, { app, space: scope.space, epoch: context.epoch, ...asked, after, ...(began === undefined ? {} : { began }) })
      // A refusal comes with the first lines, while the status can still say so.
      const first = await lines.next()
      reply.type('application/x-ndjson').header('vary', 'accept-encoding')
      const mayGoOn = async () => !isClosing && (await context.scopeOf(request, request.params.app)).role === scope.role
      const source = Readable.from(joined(first, lines, mayGoOn), { objectMode: false })
      const coding = codingFor(request.headers['accept-encoding'])
      if (coding === undefined) return reply.send(source)
      const compressed = coding.create()
      // Either end that breaks ends the other: a client that goes away stops the reading.
      pipeline(source, compressed, (error) => {
        if (error !== null && error !== undefined) request.log.debug({ requestId: request.id, reason: error.message }, 'snapshot ended early')
      })
      return reply.header('content-encoding', coding.name).send(compressed)
    },
  })
}

/** Ends without the last line, so that the client knows to ask again, when the reader may not go on. */
async function* joined(first: IteratorResult<Buffer, unknown>, rest: AsyncGenerator<Buffer>, mayGoOn: () => Promise<boolean>): AsyncGenerator<Buffer> {
  try {
    if (first.done !== true) yield first.value
    while (await mayGoOn().catch(() => false)) {
      const next = await rest.next()
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await rest.return(undefined)
  }
}
