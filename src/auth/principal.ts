import type { Actor } from '../app/rule.ts'
import type { SpaceRole } from '../app/collection.ts'

/** Whose request this is, worked out from the credential alone. */
export type Principal = UserPrincipal | KeyPrincipal

export interface UserPrincipal {
  readonly kind: 'user'
  readonly actor: Actor
  readonly userId: string
  readonly device: string
  readonly sessionId: string
  readonly serverRole: 'admin' | 'user'
}

/** An API key acts in one space of one app with one role. */
export interface KeyPrincipal {
  readonly kind: 'key'
  readonly actor: Actor
  readonly keyId: string
  readonly device: string
  readonly app: string
  readonly space: number
  readonly role: SpaceRole
}

export interface Credentials {
  readonly bearer?: string
  readonly apiKey?: string
  /** `X-Dev-User-Id`, where no other credential was sent. */
  readonly devUserId?: string
}

/** Checks a credential against the database, so that a revocation counts at once. Throws `Problem` 401 or 400. */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<Principal>
}
