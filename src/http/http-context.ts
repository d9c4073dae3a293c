import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { CompiledApp } from '../app/compile-app.ts'
import type { Rule, Scope } from '../app/rule.ts'
import type { Authenticator, Principal } from '../auth/principal.ts'
import type { JobDefinitions } from '../jobs/define-job.ts'
import type { RunnerWish } from '../jobs/job-runner.ts'
import type { Chance } from '../lib/chance.ts'
import type { Doorbell } from '../realtime/doorbell.ts'
import type { CommitRequest, CommitResult } from '../storage/commit-request.ts'
import type { Database } from '../storage/database.ts'
import type { Migration } from '../storage/migrate.ts'
import type { RateLimit } from './rate-limits.ts'

export type HttpServer = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, ZodTypeProvider>

/** An app as the server runs it: the declaration, its rules, the routes of its own dialect, and its work in the background. */
export interface HostedApp {
  readonly app: CompiledApp
  readonly rules: Readonly<Record<string, Rule>>
  readonly routes?: (server: HttpServer, context: HttpContext) => void | Promise<void>
  /** Answers, in the envelope of the app's dialect, what is refused under its prefix before a route is found, such as an unreadable address. */
  readonly answerError?: (error: unknown, request: FastifyRequest, reply: FastifyReply, context: HttpContext) => FastifyReply
  /** Requests that the app's own paths take of one credential, where the server limits requests at all. */
  readonly requestLimit?: RateLimit
  /** Name of the shared space that the command line means when none is named; `default` when absent. */
  readonly defaultSpace?: string
  /** Reads the app's own settings before anything is started. Throws one error that says everything that is wrong with them. */
  readonly checkSettings?: (environment: HttpSettings['environment']) => unknown
  /** Kinds of jobs by name. */
  readonly jobs?: JobDefinitions
  /** What it asks of the workers. */
  readonly runner?: RunnerWish
  /** What of these depends on the app's settings; it takes the place of what stands beside it. */
  readonly partsFor?: (environment: HttpSettings['environment']) => Partial<Pick<HostedApp, 'rules' | 'jobs' | 'runner'>>
  /** How long tombstones are kept, in milliseconds; 30 days when absent. A device that is away for longer reads everything again. */
  readonly tombstonesKeptMs?: (environment: HttpSettings['environment']) => number
  /** How long the change log is kept, in milliseconds; for ever when absent or undefined. What is older can be neither read nor restored. */
  readonly historyKeptMs?: (environment: HttpSettings['environment']) => number | undefined
  /** How often what is old is looked for, in milliseconds; every hour when absent. */
  readonly purgeEveryMs?: (environment: HttpSettings['environment']) => number
  /** Steps of the database that cannot be derived from the declaration, in order. */
  readonly migrations?: readonly Migration[]
  /** Fills the space of `scope` with made-up data and answers how many of each there are; run again it changes nothing. */
  readonly seed?: (context: HttpContext, scope: Scope) => Promise<Readonly<Record<string, number>>>
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
