import { CHAIN_START } from '../audit/chain.ts'
import type { SpaceRole } from '../app/collection.ts'
import type { Reader, Transactor } from './database.ts'

export interface Space {
  readonly space: number
  readonly id: string
  readonly app: string
  readonly kind: 'personal' | 'organisation' | 'server'
  readonly name: string
  readonly ownerId: string | null
}

export interface NewSpace {
  readonly id: string
  readonly app: string
  readonly kind: Space['kind']
  /** Unique per app and kind: the user's id for a personal space. */
  readonly name: string
  readonly ownerId: string | null
  readonly now: number
}

const columns = ['space', 'id', 'app', 'kind', 'name', 'owner_id as ownerId'] as const

export async function findSpace(reader: Reader, key: { readonly app: string; readonly kind: Space['kind']; readonly name: string }): Promise<Space | undefined> {
  return reader.query.selectFrom('holdfast_spaces').select(columns).where('app', '=', key.app).where('kind', '=', key.kind).where('name', '=', key.name).executeTakeFirst()
}

export async function findSpaceById(reader: Reader, app: string, id: string): Promise<Space | undefined> {
  return reader.query.selectFrom('holdfast_spaces').select(columns).where('app', '=', app).where('id', '=', id).executeTakeFirst()
}

export async function findSpaceByKey(reader: Reader, space: number): Promise<Space | undefined> {
  return reader.query.selectFrom('holdfast_spaces').select(columns).where('space', '=', space).executeTakeFirst()
}

/** Makes the space unless it exists, and returns it. Safe when several processes do it at once. */
export async function ensureSpace(tx: Transactor, space: NewSpace): Promise<Space> {
  await tx.query
    .insertInto('holdfast_spaces')
    .values({
      id: space.id,
      app: space.app,
      kind: space.kind,
      name: space.name,
      owner_id: space.ownerId,
      version: 0,
      record_version: 0,
      seq: 0,
      chain_hash: CHAIN_START,
      created_at: space.now,
    })
    .onConflict((conflict) => conflict.columns(['app', 'kind', 'name']).doNothing())
    .execute()
  const made = await findSpace(tx, space)
  if (made === undefined) throw new Error(`Space ${space.app}/${space.name} was not made.`)
  if (space.ownerId !== null) await setMember(tx, { space: made.space, userId: space.ownerId, role: 'owner', now: space.now })
  return made
}

export async function setMember(tx: Transactor, member: { readonly space: number; readonly userId: string; readonly role: SpaceRole; readonly now: number }): Promise<void> {
  await tx.query
    .insertInto('holdfast_members')
    .values({ space: member.space, user_id: member.userId, role: member.role, created_at: member.now })
    .onConflict((conflict) => conflict.columns(['space', 'user_id']).doUpdateSet({ role: member.role }))
    .execute()
}

export async function removeMember(tx: Transactor, space: number, userId: string): Promise<void> {
  await tx.query.deleteFrom('holdfast_members').where('space', '=', space).where('user_id', '=', userId).execute()
}

/** The user's role in a space, or undefined: then the space does not exist for them. */
export async function roleOf(reader: Reader, space: number, userId: string): Promise<SpaceRole | undefined> {
  const row = await reader.query.selectFrom('holdfast_members').select('role').where('space', '=', space).where('user_id', '=', userId).executeTakeFirst()
  return row?.role
}

/** The spaces of an app that the user is a member of, with the role. */
export async function spacesOf(reader: Reader, app: string, userId: string): Promise<readonly (Space & { readonly role: SpaceRole })[]> {
  return reader.query
    .selectFrom('holdfast_members as member')
    .innerJoin('holdfast_spaces as space', 'space.space', 'member.space')
    .select(['space.space', 'space.id', 'space.app', 'space.kind', 'space.name', 'space.owner_id as ownerId', 'member.role'])
    .where('member.user_id', '=', userId)
    .where('space.app', '=', app)
    .execute()
}
