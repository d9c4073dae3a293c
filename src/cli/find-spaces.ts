import { emailKey } from '../lib/email-key.ts'
import type { Database } from '../storage/database.ts'

export interface SpaceToCheck {
  readonly space: number
  readonly app: string
  readonly kind: string
  /** The name of a shared space; the id of the account for a personal one. */
  readonly name: string
}

/** Spaces of all apps or of one, by key. `named` is the name of a shared space, or the address or id of the account that owns a personal one. */
export async function findSpaces(database: Database, { app, named }: { readonly app?: string | undefined; readonly named?: string | undefined } = {}): Promise<readonly SpaceToCheck[]> {
  return database.read(async (reader) => {
    let query = reader.query.selectFrom('holdfast_spaces').select(['space', 'app', 'kind', 'name']).orderBy('space')
    if (app !== undefined) query = query.where('app', '=', app)
    if (named === undefined) return query.execute()
    const user = await reader.query.selectFrom('holdfast_users').select('id').where('email_key', '=', emailKey(named)).executeTakeFirst()
    return query.where((where) => where.or([where('name', '=', user?.id ?? named), where('id', '=', named)])).execute()
  })
}
