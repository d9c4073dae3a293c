import type { SpaceRole } from '../app/collection.ts'
import type { Reader } from './database.ts'

/** A space by its short key, and what the caller may do in it. */
export interface Seat {
  readonly space: number
  readonly role: SpaceRole
}

export interface SeatQuery {
  readonly app: string
  readonly userId: string
  /** Public id of the space; undefined for the user's personal one. */
  readonly spaceId: string | undefined
}

const bySpace = `SELECT space.space, member.role FROM holdfast_spaces AS space
JOIN holdfast_members AS member ON member.space = space.space AND member.user_id = ?
WHERE space.app = ? AND `

/** The user's seat in one space, in one indexed read; undefined when there is no such space or the user is no member of it. */
export async function findSeat(reader: Reader, { app, userId, spaceId }: SeatQuery): Promise<Seat | undefined> {
  const [seat] =
    spaceId === undefined
      ? await reader.all<Seat>(`${bySpace}space.kind = 'personal' AND space.name = ?`, [userId, app, userId])
      : await reader.all<Seat>(`${bySpace}space.id = ?`, [userId, app, spaceId])
  return seat
}
