import { accountLimits } from '../auth/account-limits.ts'
import type { MemberReader, MemberWriter } from '../auth/account-store.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { appendEntries } from './change-log.ts'
import type { Reader, Transactor } from './database.ts'
import { readSpaceState } from './space-state.ts'
import { ensureSpace, findSpace, removeMember, roleOf, setMember } from './space-store.ts'

const spaceColumns = ['space.space', 'space.id', 'space.app', 'space.kind', 'space.name', 'space.owner_id as ownerId'] as const

/** Reads spaces and who is a member of them. */
export function memberReader(reader: Reader): MemberReader {
  return {
    findSpace: (id) => reader.query.selectFrom('holdfast_spaces as space').select(spaceColumns).where('space.id', '=', id).executeTakeFirst(),
    findSpaceNamed: (key) => findSpace(reader, key),
    roleIn: (space, userId) => roleOf(reader, space, userId),
    membershipsOf: (userId) =>
      reader.query
        .selectFrom('holdfast_members as member')
        .innerJoin('holdfast_spaces as space', 'space.space', 'member.space')
        .select([...spaceColumns, 'member.role'])
        .where('member.user_id', '=', userId)
        .orderBy('space.app')
        .orderBy('space.kind')
        .orderBy('space.name')
        .limit(accountLimits.LIST_MAX)
        .execute(),
    membersOf: (space) =>
      reader.query
        .selectFrom('holdfast_members as member')
        .innerJoin('holdfast_users as account', 'account.id', 'member.user_id')
        .select(['member.user_id as userId', 'account.email', 'account.display_name as displayName', 'member.role', 'member.created_at as createdAt'])
        .where('member.space', '=', space)
        .orderBy('account.email_key')
        .execute(),
  }
}

/** Writes spaces, their members, and the events of their change log. */
export function memberWriter(tx: Transactor): MemberWriter {
  return {
    lockSpace: async (space) => {
      await readSpaceState(tx, space, { lock: true })
    },
    ensureSpace: (space) => ensureSpace(tx, space),
    setMember: (member) => setMember(tx, member),
    removeMember: (space, userId) => removeMember(tx, space, userId),
    appendEvent: async ({ space, actor, requestId, action, entity, entityId, detail, now }) => {
      const state = await readSpaceState(tx, space, { lock: true })
      const version = Math.max(now, state.version + 1)
      const entry = { version, action, entity, entityId, changes: '{}', detail: canonicalJson(detail) }
      const head = await appendEntries(tx, state, [entry], { space, actor, requestId, at: now })
      await tx.query.updateTable('holdfast_spaces').set({ version, seq: head.seq, chain_hash: head.chainHash }).where('space', '=', space).execute()
    },
  }
}
