import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HostedApp, HttpContext, HttpServer } from './http-context.ts'
import type { Limiter, LimitStore } from './limit-store.ts'

export interface MountParts {
  readonly notFound: (request: FastifyRequest, reply: FastifyReply) => FastifyReply
  readonly limitStore: LimitStore
}

/**
 * Gives every app that has routes of its own a scope under its name, with error and not-found handlers as it likes.
 * A single app is served at `/` as well. What no app answers for stays with the platform.
 */
export async function mountApps(server: HttpServer, context: HttpContext, { notFound, limitStore }: MountParts): Promise<void> {
  const dialects = [...context.apps.values()].flatMap(({ app: { name }, routes, requestLimit }) => {
    const limiter = requestLimit === undefined || !context.settings.rateLimits ? undefined : limitStore.limiterOf(`app.${name}`, requestLimit)
    return routes === undefined ? [] : [{ name, routes, limiter }]
  })
  for (const { name, ...dialect } of dialects) await mount(server, context, { prefix: `/${name}`, ...dialect })
  await server.register(async (scope) => void scope.setNotFoundHandler(notFound), { prefix: '/api' })
  const [only] = dialects
  if (context.apps.size === 1 && only !== undefined) await mount(server, context, { ...only, prefix: '' })
  try {
    server.setNotFoundHandler(notFound)
  } catch {
    // The app that is served at `/` answers for what is missing there.
  }
}

interface Mount {
  readonly prefix: string
  readonly routes: NonNullable<HostedApp['routes']>
  readonly limiter: Limiter | undefined
}

async function mount(server: HttpServer, context: HttpContext, { prefix, routes, limiter }: Mount): Promise<void> {
  await server.register(
    async (scope) => {
      if (limiter !== undefined) limitCredentials(scope, context, limiter)
      await routes(scope, context)
    },
    { prefix },
  )
}

/** Counts the requests of each credential. One without is counted by its address already. */
function limitCredentials(scope: HttpServer, context: HttpContext, limiter: Limiter): void {
  scope.addHook('onRequest', async (request) => {
    const principal = await context.principalOf(request).catch(() => undefined)
    if (principal !== undefined) await limiter.consume(`${principal.actor.type}:${principal.actor.id}`)
  })
}
