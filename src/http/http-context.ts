import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { CompiledApp } from '../app/compile-app.ts'
import type { Rule, Scope } from '../app/rule.ts'
import type { Authenticator, Principal } from '../auth/principal.ts'
import type { Chance } from '../lib/chance.ts'
import type { Doorbell } from '../realtime/doorbell.ts'
import type { CommitRequest, CommitResult } from '../storage/commit-request.ts'
import type { Database } from '../storage/database.ts'

export type HttpServer = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, ZodTypeProvider>

/** An app as the server runs it: the declaration, its rules, and the routes of its own dialect. */
export interface HostedApp {
  readonly app: CompiledApp
  readonly rules: Readonly<Record<string, Rule>>
  readonly routes?: (server: HttpServer, context: HttpContext) => void | Promise<void>
}

export interface HttpSettings {
  /** `https://…` without a slash at the end, for links that leave the server. */
  readonly publicUrl: string | undefined
  readonly rateLimits: boolean
  readonly trustProxy: boolean | string
  readonly registration: 'open' | 'invite' | 'closed'
  readonly metricsToken: string | undefined
  readonly corsOrigins: readonly string[]
  /** Values of `HOLDFAST_<APP>_…` as the environment has them. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What every route may use. */
export interface HttpContext {
  readonly database: Database
  readonly apps: ReadonlyMap<string, HostedApp>
  readonly authenticator: Authenticator
  readonly doorbell: Doorbell
  readonly chance: Chance
  readonly settings: HttpSettings
  /** The database's epoch: changes when it is restored. */
  readonly epoch: string
  /** The one write path. */
  commit(scope: Scope, request: CommitRequest): Promise<CommitResult>
  /** Who asks; checks the credential in the database. Throws `Problem` 401. */
  principalOf(request: FastifyRequest): Promise<Principal>
  /**
   * Who asks, in which space of the app, with which role: the caller's personal space (made at its first use)
   * unless the query parameter `space` names another. A space the caller may not see is `not_found`.
   */
  scopeOf(request: FastifyRequest, app: string): Promise<Scope>
}
