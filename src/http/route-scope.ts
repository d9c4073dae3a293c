import type { FastifyRequest } from 'fastify'
import { reaches } from '../app/role-rank.ts'
import type { SpaceRole } from '../app/collection.ts'
import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { Scope } from '../app/rule.ts'
import { Problem } from '../protocol/problem.ts'
import type { HttpContext } from './http-context.ts'

/** Refuses a request without a right to the space before its body is read. The handler then asks `scopeOf` again, for nothing. */
export function checkScope(context: HttpContext): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    await context.scopeOf(request, appNameOf(request))
  }
}

/** The declaration of an app that this server runs. */
export function appOf(context: HttpContext, name: string): CompiledApp {
  const hosted = context.apps.get(name)
  if (hosted === undefined) throw new Problem('not_found', { detail: 'This server runs no such app.' })
  return hosted.app
}

/** The one policy for reading: pull, snapshot, records, status, conflicts and answers of a push all ask here. */
export function mayRead(scope: Pick<Scope, 'role'>, collection: CompiledCollection): boolean {
  return reaches(scope.role, collection.access.read)
}

/** Throws `access.forbidden` for a caller below the role. */
export function requireRole(scope: Scope, least: SpaceRole): void {
  if (!reaches(scope.role, least)) throw new Problem('access.forbidden', { detail: `This needs the role ${least} in the space.` })
}

/** A collection that the caller may read. Throws `not_found` for an unknown one, `access.forbidden` for one above the caller's role. */
export function readableCollection(app: CompiledApp, scope: Scope, name: string): CompiledCollection {
  const collection = app.collections.get(name)
  if (collection === undefined) throw new Problem('not_found', { detail: `The app has no collection "${name.slice(0, 64)}".` })
  if (!mayRead(scope, collection)) throw new Problem('access.forbidden')
  return collection
}

/** Names of the collections that the caller may read; undefined when these are all. */
export function readableNames(app: CompiledApp, scope: Pick<Scope, 'role'>): readonly string[] | undefined {
  const all = [...app.collections.values()]
  const readable = all.filter((collection) => mayRead(scope, collection))
  return readable.length === all.length ? undefined : readable.map(({ name }) => name)
}

export interface Asked {
  /** Names; undefined when these are all. */
  readonly collections: readonly string[] | undefined
  /** What was asked for and is above the caller's role. */
  readonly unreadable: readonly string[]
}

/**
 * The collections that the query parameter `collections` (names with commas between) asks for, or all that may be read. Throws
 * `access.forbidden` for one above the caller's role, unless `readable` asks to leave it out; and where none is left.
 */
export function askedCollections(app: CompiledApp, scope: Scope, { collections, readable }: { readonly collections?: string | undefined; readonly readable?: boolean | undefined }): Asked {
  const asked = collections === undefined ? [...app.collections.values()] : [...new Set(collections.split(','))].map((name) => namedCollection(app, name))
  const may = asked.filter((collection) => mayRead(scope, collection))
  const unreadable = asked.filter((collection) => !may.includes(collection)).map(({ name }) => name)
  const leavesOut = collections === undefined || readable === true
  if (unreadable.length > 0 && (!leavesOut || may.length === 0)) throw new Problem('access.forbidden')
  return { collections: collections === undefined ? readableNames(app, scope) : may.map(({ name }) => name), unreadable }
}

function namedCollection(app: CompiledApp, name: string): CompiledCollection {
  const collection = app.collections.get(name)
  if (collection !== undefined) return collection
  throw new Problem('request.invalid', { detail: `collections: the app has no "${name.slice(0, 64)}".`, fields: [{ path: 'collections', message: 'No such collection.' }] })
}

function appNameOf({ params }: FastifyRequest): string {
  if (typeof params === 'object' && params !== null && 'app' in params && typeof params.app === 'string') return params.app
  throw new Problem('not_found')
}
