import type { SpaceRole } from '../app/collection.ts'
import type { KeptReport } from '../protocol/device-report.ts'

/** What is stored of accounts. Times are epoch milliseconds; secrets appear only as hashes. */
export interface User {
  readonly id: string
  readonly email: string
  /** `emailKey(email)`; unique. */
  readonly emailKey: string
  readonly passwordHash: string
  readonly displayName: string
  readonly serverRole: 'admin' | 'user'
  readonly createdAt: number
  readonly disabledAt: number | null
}

/** Belongs to (user, id): two users may use one id. */
export interface Device {
  readonly userId: string
  readonly id: string
  readonly name: string
  readonly platform: string
  readonly appVersion: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly revokedAt: number | null
}

/** A device with what it last said of itself, the newest report first. */
export interface ReportedDevice extends Device {
  readonly reports: readonly KeptReport[]
}

export interface Session {
  readonly id: string
  readonly userId: string
  readonly deviceId: string
  readonly createdAt: number
  readonly lastUsedAt: number
  readonly expiresAt: number
}

/** A session that may act now, with what a request needs of its user. */
export interface LiveSession {
  readonly userId: string
  readonly deviceId: string
  readonly email: string
  readonly serverRole: 'admin' | 'user'
}

export interface RefreshToken {
  readonly hash: string
  readonly sessionId: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly usedAt: number | null
}

export type LinkPurpose = 'setup' | 'reset' | 'invite'

export interface Link {
  readonly hash: string
  readonly purpose: LinkPurpose
  readonly userId: string | null
  readonly createdAt: number
  readonly expiresAt: number
}

/** `createdBy` is the user who answers for the key, or `system` for one made on the command line. */
export interface ApiKey {
  readonly id: string
  readonly hash: string
  readonly name: string
  readonly app: string
  readonly space: number
  /** Public id of the space. */
  readonly spaceId: string
  readonly role: SpaceRole
  readonly createdBy: string
  readonly createdAt: number
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

/** A key that may act now. Its maker may have lost rights since: `makerRole` is null for a key of the system. */
export interface LiveKey {
  readonly id: string
  readonly hash: string
  readonly name: string
  readonly app: string
  readonly space: number
  readonly role: SpaceRole
  readonly makerRole: SpaceRole | null
  readonly lastUsedAt: number | null
}

/** `space` is the integer key, `id` the public one. */
export interface AccountSpace {
  readonly space: number
  readonly id: string
  readonly app: string
  readonly kind: 'personal' | 'organisation' | 'server'
  readonly name: string
  readonly ownerId: string | null
}

export interface Membership extends AccountSpace {
  readonly role: SpaceRole
}

export interface Member {
  readonly userId: string
  readonly email: string
  readonly displayName: string
  readonly role: SpaceRole
  readonly createdAt: number
}
