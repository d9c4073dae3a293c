import type { SpaceRole } from '../app/collection.ts'
import type { Actor } from '../app/rule.ts'
import type { AccountSpace, ApiKey, Device, Link, LinkPurpose, LiveKey, LiveSession, Member, Membership, RefreshToken, ReportedDevice, Session, User } from './account-records.ts'

/** The port to where accounts are kept. A reader sees one committed state; a writer's work is one transaction. */
export interface AccountStore {
  read<T>(work: (reader: AccountReader) => Promise<T>, options?: AccountReadOptions): Promise<T>
  /** Resolves when the work is durable. If `work` throws, nothing of it stays. */
  write<T>(work: (writer: AccountWriter) => Promise<T>): Promise<T>
}

export interface AccountReadOptions {
  /** The work asks one question alone. */
  readonly oneStatement?: boolean
}

export interface AccountReader extends UserReader, SessionReader, KeyReader, MemberReader {}
export interface AccountWriter extends AccountReader, UserWriter, SessionWriter, KeyWriter, MemberWriter {}

export interface UserReader {
  findUser(id: string): Promise<User | undefined>
  findUserByEmail(emailKey: string): Promise<User | undefined>
  hasAdmin(): Promise<boolean>
  /** By id, from behind `after`. */
  listUsers(page: { readonly after: string | undefined; readonly limit: number }): Promise<readonly User[]>
  /** A link that was not used and has not expired. */
  findLink(key: { readonly hash: string; readonly purpose: LinkPurpose; readonly now: number }): Promise<Link | undefined>
  countLinks(key: { readonly userId: string; readonly purpose: LinkPurpose; readonly since: number }): Promise<number>
}

export interface UserWriter {
  /** False when the address is taken. */
  addUser(user: User): Promise<boolean>
  setPassword(userId: string, passwordHash: string): Promise<void>
  setDisabled(userId: string, at: number | null): Promise<void>
  /** Also forgets the links that have expired. */
  addLink(link: Link): Promise<void>
  /** False when it had been used or has expired: of two that come together one gets true. */
  useLink(key: { readonly hash: string; readonly purpose: LinkPurpose; readonly now: number }): Promise<boolean>
  /** Makes the user's other links of this purpose useless. */
  dropLinks(userId: string, purpose: LinkPurpose): Promise<void>
}

export interface SessionReader {
  /** The session if it is neither ended nor expired and its user is enabled. One indexed read. */
  findLiveSession(id: string, now: number): Promise<LiveSession | undefined>
  liveSessionsOf(userId: string, now: number): Promise<readonly Session[]>
  devicesOf(userId: string): Promise<readonly ReportedDevice[]>
  findDevice(userId: string, id: string): Promise<ReportedDevice | undefined>
  findRefreshToken(hash: string): Promise<RefreshToken | undefined>
}

export interface SessionWriter {
  /** Adds the device or replaces what is known of it. */
  saveDevice(device: Device): Promise<void>
  revokeDevice(userId: string, id: string, at: number): Promise<void>
  addSession(session: Session): Promise<void>
  /** Moves session and device on after a refresh. */
  keepSession(session: { readonly id: string; readonly userId: string; readonly deviceId: string; readonly now: number; readonly expiresAt: number }): Promise<void>
  /** Ends the user's sessions that match; true when there was one. */
  endSessions(which: SessionsToEnd, at: number): Promise<boolean>
  addRefreshToken(token: RefreshToken): Promise<void>
  /** False when it had been used: of two that come together one gets true. */
  useRefreshToken(hash: string, at: number): Promise<boolean>
  /** Forgets the user's sessions and tokens that expired before `now`. */
  forgetExpired(userId: string, now: number): Promise<void>
}

export interface SessionsToEnd {
  readonly userId: string
  readonly sessionId?: string
  readonly deviceId?: string
  readonly exceptSessionId?: string
}

export interface KeyReader {
  /** A key that is not revoked and whose maker is enabled and still a member. One indexed read. */
  findLiveKey(id: string): Promise<LiveKey | undefined>
  findKey(id: string): Promise<ApiKey | undefined>
  /** Keys that the user made or that act in a space the user owns, newest first. */
  keysOf(userId: string): Promise<readonly ApiKey[]>
  keysOfSpace(space: number): Promise<readonly ApiKey[]>
}

export interface KeyWriter {
  addKey(key: Omit<ApiKey, 'spaceId'>): Promise<void>
  revokeKey(id: string, at: number): Promise<void>
  /** Notes the use; true when it was the first. */
  touchKey(id: string, at: number): Promise<boolean>
}

export interface MemberReader {
  findSpace(id: string): Promise<AccountSpace | undefined>
  findSpaceNamed(key: { readonly app: string; readonly kind: AccountSpace['kind']; readonly name: string }): Promise<AccountSpace | undefined>
  roleIn(space: number, userId: string): Promise<SpaceRole | undefined>
  membershipsOf(userId: string): Promise<readonly Membership[]>
  membersOf(space: number): Promise<readonly Member[]>
}

export interface MemberWriter {
  /** Until the transaction ends nobody else changes the space, its members or its keys. */
  lockSpace(space: number): Promise<void>
  /** Makes the space unless it exists; its owner becomes a member. */
  ensureSpace(space: Omit<AccountSpace, 'space'> & { readonly now: number }): Promise<AccountSpace>
  setMember(member: { readonly space: number; readonly userId: string; readonly role: SpaceRole; readonly now: number }): Promise<void>
  removeMember(space: number, userId: string): Promise<void>
  /** Appends an event to the space's change log. */
  appendEvent(event: SpaceEvent): Promise<void>
}

export interface SpaceEvent {
  readonly space: number
  readonly actor: Actor
  readonly requestId: string
  /** Such as `keys.create`. */
  readonly action: string
  readonly entity: string
  readonly entityId: string
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
  readonly now: number
}
