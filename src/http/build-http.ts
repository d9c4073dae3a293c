import { fastify, LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Accounts } from '../auth/accounts.ts'
import { limits } from '../protocol/limits.ts'
import { registerAccountPages } from './account-pages.ts'
import { registerAuditRoutes } from './audit-routes.ts'
import { registerAuthRoutes } from './auth-routes.ts'
import { registerConflictRoutes } from './conflict-routes.ts'
import { registerDeviceRoutes } from './device-routes.ts'
import { leadToDocs, registerDocsRoutes } from './docs-routes.ts'
import { endStalled } from './end-stalled.ts'
import { registerEventRoute } from './event-route.ts'
import { registerHealthRoutes } from './health-routes.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { registerJobRoutes } from './job-routes.ts'
import { registerKeyRoutes } from './key-routes.ts'
import { limitRequests, limitSignIn, openLimiters } from './limit-requests.ts'
import { memoryLimits, type LimitStore } from './limit-store.ts'
import { registerManifestRoute } from './manifest-route.ts'
import { registerMemberRoutes } from './member-routes.ts'
import { createMetrics, measureServer } from './metrics.ts'
import { registerMetricsRoute } from './metrics-route.ts'
import { mountApps } from './mount-apps.ts'
import { acceptJsonBodies } from './parse-json-body.ts'
import { registerPullRoute } from './pull-route.ts'
import { registerPushRoute } from './push-route.ts'
import { rateLimits, type RateLimits } from './rate-limits.ts'
import { registerRecordRoutes } from './record-routes.ts'
import { registerRejectedRoutes } from './rejected-routes.ts'
import { registerReportRoute } from './report-route.ts'
import { requestIdOf } from './request-id.ts'
import { listRoutes } from './route-list.ts'
import { registerSearchRoute } from './search-route.ts'
import { securityHeaders } from './security-headers.ts'
import { answerClientError, answerNotFound, sendProblem } from './send-problem.ts'
import { registerSnapshotRoute } from './snapshot-route.ts'
import { registerStatusRoute } from './status-route.ts'
import { registerUserRoutes } from './user-routes.ts'

export interface HttpParts {
  readonly accounts: Accounts
  /** Where the server logs: one line per request at `debug`, what was refused at `info`, its own faults at `error`. */
  readonly log: FastifyBaseLogger
  /** Other limits than the usual ones, for tests. */
  readonly rateLimits?: RateLimits
  /** Where requests are counted; in this process when absent. */
  readonly limitStore?: LimitStore
}

/** Longest path parameter that is looked at, in characters: an id has 128, each of which may come percent-encoded. */
const PARAM_CHARS_MAX = 512
/** Longest wait for a whole request, in milliseconds: a slow sender holds a socket. */
const REQUEST_MS_MAX = 120_000
/** Longest time in which nothing moves on a connection with a request, in milliseconds: one who does not read holds an answer. */
const STILL_MS_MAX = 120_000

/** Levels at which Fastify would say that it listens. */
const talkative: ReadonlySet<string> = new Set(['trace', 'debug', 'info'])

/** Builds the server with the routes of the platform and of every app. It does not listen yet. */
export async function buildHttp(given: HttpContext, parts: HttpParts): Promise<HttpServer> {
  const metrics = createMetrics()
  const context = metrics.counted(given)
  const server = createServer(context, parts.log)
  const routes = listRoutes(server)
  const notFound = answerNotFound(routes)
  measureServer(server, metrics)
  if (context.settings.corsOrigins.length > 0) await allowOrigins(server, context.settings.corsOrigins)
  const limitStore = parts.limitStore ?? memoryLimits
  const limiters = openLimiters(limitStore, parts.rateLimits ?? rateLimits)
  if (context.settings.rateLimits) limitRequests(server, context, limiters)

  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.bodyLimit = limits.ACCOUNT_BODY_BYTES_MAX
    })
    await scope.register(async (signIn) => {
      if (context.settings.rateLimits) limitSignIn(signIn, limiters)
      registerAuthRoutes(signIn, context, parts.accounts)
    })
    registerDeviceRoutes(scope, context, parts.accounts)
    registerKeyRoutes(scope, context, parts.accounts)
    registerMemberRoutes(scope, context, parts.accounts)
    registerUserRoutes(scope, context, parts.accounts)
  })

  registerManifestRoute(server, context)
  registerPushRoute(server, context)
  registerPullRoute(server, context)
  registerSnapshotRoute(server, context)
  registerEventRoute(server, context, metrics.openStreams)
  registerReportRoute(server, context)
  registerStatusRoute(server, context)
  registerConflictRoutes(server, context)
  registerRejectedRoutes(server, context)
  registerRecordRoutes(server, context)
  registerAuditRoutes(server, context)
  registerJobRoutes(server, context)
  registerSearchRoute(server, context)

  registerAccountPages(server)
  registerHealthRoutes(server, context)
  registerMetricsRoute(server, context, metrics)
  registerDocsRoutes(server, routes)
  await mountApps(server, context, { notFound, limitStore })
  leadToDocs(server)
  return server
}

function createServer(context: HttpContext, log: FastifyBaseLogger): HttpServer {
  const headers = securityHeaders(context.settings.publicUrl)
  const server: HttpServer = fastify({
    // Fastify's own lines only where something is wrong: where the server listens is said by who started it. Requests log as before.
    loggerInstance: talkative.has(log.level) ? log.child({}, { level: 'warn' }) : log,
    childLoggerFactory: (_quiet, bindings, options) => log.child(bindings, options),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS_MAX,
    connectionTimeout: STILL_MS_MAX,
    forceCloseConnections: 'idle',
    trustProxy: context.settings.trustProxy,
    // Those that Fastify brings are then not even loaded.
    schemaController: { compilersFactory: { buildValidator: noOtherCompiler, buildSerializer: noOtherCompiler } },
    routerOptions: { maxParamLength: PARAM_CHARS_MAX },
    requestIdHeader: false,
    genReqId: (request) => requestIdOf(request, () => `req-${context.chance.id()}`),
    frameworkErrors: (error, request, reply) => void answerUnrouted(context, error, request, reply.headers({ ...headers, 'x-request-id': request.id })),
    clientErrorHandler: answerClientError(headers, () => `req-${context.chance.id()}`),
  }).withTypeProvider<ZodTypeProvider>()
  server.setValidatorCompiler(validatorCompiler)
  server.setSerializerCompiler(serializerCompiler)
  server.setErrorHandler(sendProblem)
  acceptJsonBodies(server)
  endStalled(server)
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers).header('x-request-id', request.id)
    done()
  })
  let isClosing = false
  server.addHook('preClose', async () => {
    isClosing = true
  })
  server.addHook('onSend', (_request, reply, _payload, done) => {
    // Fastify would close the connection, and one who is still sending then loses the answer: what is left of the body is read and dropped instead.
    if (reply.statusCode === 413 && !isClosing) reply.removeHeader('connection')
    done()
  })
  server.addHook('onResponse', (request, reply, done) => {
    // A connection that was busy when the server began to close would otherwise be kept alive.
    if (isClosing) request.raw.socket.end()
    const line = { requestId: request.id, method: request.method, route: request.routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }
    if (reply.statusCode >= 400) log.info(line, 'refused')
    else log.debug(line, 'answered')
    done()
  })
  return server
}

/** An address that no router can read still begins with the name of the app whose clients should understand the answer. */
function answerUnrouted(context: HttpContext, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [, name = ''] = request.url.split(/[/?]/, 2)
  const answer = context.apps.get(name)?.answerError
  return answer === undefined ? sendProblem(error, request, reply) : answer(error, request, reply, context)
}

function noOtherCompiler(): never {
  throw new Error('Schemas are compiled by Zod alone.')
}

async function allowOrigins(server: HttpServer, origins: readonly string[]): Promise<void> {
  const { default: cors } = await import('@fastify/cors')
  // No credentials: a browser adds none by itself, and a page has to have been given those that it sends.
  await server.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['etag', 'location', 'retry-after', 'x-request-id'],
    maxAge: 600,
  })
}
