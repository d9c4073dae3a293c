import type { FastifyRequest } from 'fastify'
import type { Scope } from 'holdfast'
import type { CompiledCollection, HttpContext } from 'holdfast/server'
import type { VaultSettings } from '../settings.ts'

export const collectionNames = ['items', 'tags', 'articles', 'settings'] as const
export type CollectionName = (typeof collectionNames)[number]

/** What the routes of the vault share. */
export interface VaultContext {
  readonly http: HttpContext
  readonly settings: VaultSettings
  readonly collections: Readonly<Record<CollectionName, CompiledCollection>>
}

export function createVaultContext(http: HttpContext, settings: VaultSettings): VaultContext {
  const declared = http.apps.get('vault')?.app.collections
  const collectionOf = (name: CollectionName): CompiledCollection => {
    const collection = declared?.get(name)
    if (collection === undefined) throw new Error(`The vault lacks the collection "${name}".`)
    return collection
  }
  return { http, settings, collections: { items: collectionOf('items'), tags: collectionOf('tags'), articles: collectionOf('articles'), settings: collectionOf('settings') } }
}

/** Whose vault the request is about: the caller's own, or the one a key was made for. */
export function scopeOf({ http }: Pick<VaultContext, 'http'>, request: FastifyRequest): Promise<Scope> {
  return http.scopeOf(request, 'vault')
}
