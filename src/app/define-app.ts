import type { z } from 'zod'
import type { Collection } from './collection.ts'

/** Who shares a space: each user alone, or the members of an organisation. */
export type SpaceKind = 'personal' | 'organisation'

export interface App<Collections extends Record<string, Collection> = Record<string, Collection>> {
  readonly name: string
  readonly spaces: SpaceKind
  readonly collections: Collections
}

/** A record's data by collection name, as the server stores it. */
export type RecordOf<AnApp extends App, Name extends keyof AnApp['collections']> = z.infer<AnApp['collections'][Name]['schema']>

/** Declares an app. Plain data that server and client share; checked by `compileApp`. */
export function defineApp<Collections extends Record<string, Collection>>(app: { readonly name: string; readonly spaces?: SpaceKind; readonly collections: Collections }): App<Collections> {
  return { name: app.name, spaces: app.spaces ?? 'personal', collections: app.collections }
}
