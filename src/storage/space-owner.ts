import type { Reader } from './database.ts'

/** Whose space it is, as the account says. */
export interface SpaceOwner {
  readonly id: string
  readonly email: string
  readonly displayName: string
  /** Of the account, epoch milliseconds. */
  readonly createdAt: number
}

/** The person that a personal space belongs to; undefined for a shared one. */
export async function findSpaceOwner(reader: Reader, space: number): Promise<SpaceOwner | undefined> {
  return reader.query
    .selectFrom('holdfast_spaces as space')
    .innerJoin('holdfast_users as user', 'user.id', 'space.name')
    .select(['user.id as id', 'user.email as email', 'user.display_name as displayName', 'user.created_at as createdAt'])
    .where('space.space', '=', space)
    .where('space.kind', '=', 'personal')
    .executeTakeFirst()
}
