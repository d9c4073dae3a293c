import type { FastifyRequest } from 'fastify'
import type { Scope } from '../app/rule.ts'
import type { Principal } from '../auth/principal.ts'
import { commit } from '../storage/commit.ts'
import type { HttpContext } from './http-context.ts'
import { principalOf, scopeOf } from './scope-of.ts'

export type HttpContextParts = Omit<HttpContext, 'commit' | 'principalOf' | 'scopeOf'>

/** How long a right counts within a request, in milliseconds, where no word came that one has ended: word from another process may be lost. */
const RIGHT_MS_MAX = 1_000

/** Joins the parts of a running server into what its routes, jobs and commands use. */
export function createHttpContext(parts: HttpContextParts): HttpContext {
  let revocations = 0
  parts.doorbell.listenRevocations(() => (revocations += 1))
  const since = () => ({ revocations, at: parts.chance.now() })
  const stands = (asked: Asked) => asked.revocations === revocations && parts.chance.now() - asked.at <= RIGHT_MS_MAX
  const principals = new WeakMap<FastifyRequest, Kept<Principal>>()
  const scopes = new WeakMap<FastifyRequest, Kept<Scope>>()
  const once = <Value>(known: WeakMap<FastifyRequest, Kept<Value>>, request: FastifyRequest, make: () => Promise<Value>): Promise<Value> => {
    const kept = known.get(request)
    if (kept !== undefined && stands(kept.asked)) return kept.value
    const value = make()
    known.set(request, { asked: since(), value })
    return value
  }
  const principalOnce = (request: FastifyRequest) => once(principals, request, () => principalOf(parts, request))
  return {
    ...parts,
    commit: (scope, request) => {
      const hosted = parts.apps.get(scope.app)
      if (hosted === undefined) throw new Error(`This server runs no app "${scope.app}".`)
      const { database, epoch, chance, doorbell } = parts
      return commit({ database, app: hosted.app, rules: hosted.rules, epoch, chance, doorbell }, scope, request)
    },
    principalOf: principalOnce,
    // A request belongs to one route, and a route to one app, so one answer per request is right.
    scopeOf: (request, app) => once(scopes, request, async () => scopeOf(parts, request, await principalOnce(request), app)),
  }
}

/** When something was asked. */
interface Asked {
  /** Rights that had ended by then. */
  readonly revocations: number
  /** Epoch milliseconds. */
  readonly at: number
}

/** Hooks and handler of one request ask for the same: the database is asked once, and again when the body was long on its way. */
interface Kept<Value> {
  readonly asked: Asked
  readonly value: Promise<Value>
}
