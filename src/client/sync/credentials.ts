import type { SignedIn, Tokens } from '../../protocol/accounts.ts'
import * as clientLimits from '../client-limits.ts'
import type { DeviceStore } from '../local/device-store.ts'
import { readPlace, writePlace, type PlaceAddress } from '../local/place.ts'
import type { Clock, Tabs } from '../ports.ts'
import type { Session } from '../session.ts'
import { RequestFailure } from './failure.ts'
import { notHoldfast } from './reading.ts'
import type { Credentials, Requests } from './requests.ts'

/** How a client proves who it acts for. */
export type AuthOption =
  /** An account that signs in through the client; the default. */
  | { readonly kind: 'session' }
  /** An API key, as devices of an organisation use. */
  | { readonly kind: 'key'; readonly key: string }
  /** Tokens that the app gets elsewhere. `owner` names the account; `renew` is true when the last token was refused. */
  | { readonly kind: 'token'; readonly owner: string; token(renew: boolean): Promise<string | undefined> }

/** Whose edits they are, where that is fixed from the start. */
export function fixedOwner(auth: AuthOption): string | undefined {
  switch (auth.kind) {
    case 'session':
      return undefined
    case 'key':
      // The part of a key that is no secret.
      return `key:${auth.key.split('_').slice(0, 2).join('_')}`
    case 'token':
      return auth.owner
  }
}

export interface CredentialDeps {
  readonly store: DeviceStore
  readonly address: PlaceAddress
  readonly requests: Requests
  readonly clock: Clock
  readonly tabs: Tabs
}

export function createCredentials(auth: AuthOption, deps: CredentialDeps): Credentials {
  switch (auth.kind) {
    case 'session':
      return new SessionCredentials(deps)
    case 'key':
      return { headers: async () => ({ 'x-api-key': auth.key }), renew: async () => false }
    case 'token':
      return tokenCredentials(auth)
  }
}

function tokenCredentials(auth: Extract<AuthOption, { kind: 'token' }>): Credentials {
  const bearer = async (renew: boolean) => {
    const token = await auth.token(renew)
    if (token === undefined) throw signInAgain()
    return { authorization: `Bearer ${token}` }
  }
  return { headers: () => bearer(false), renew: async (refused) => (await bearer(true)).authorization !== refused['authorization'] }
}

/** The session that is stored with the data. One request renews it for all that wait, in all tabs. */
class SessionCredentials implements Credentials {
  readonly #deps: CredentialDeps
  #renewing: Promise<boolean> | undefined
  /** What stands in place of a session that is stored, by its refresh token, until it is stored itself. */
  readonly #renewed = new Map<string, Session>()

  constructor(deps: CredentialDeps) {
    this.#deps = deps
  }

  async headers(owner?: string | null): Promise<Readonly<Record<string, string>>> {
    const session = await this.#session()
    if (session !== undefined && owner !== undefined && session.user.id !== owner) throw new RequestFailure({ kind: 'stopped' }, { code: 'stopped', message: 'Somebody else has signed in.' })
    if (session === undefined || session.ended === true) throw signInAgain()
    if (session.expiresAt - clientLimits.TOKEN_MARGIN_MS > this.#deps.clock.now()) return bearerOf(session)
    await this.renew(bearerOf(session))
    return this.headers(owner)
  }

  renew(refused: Readonly<Record<string, string>>): Promise<boolean> {
    this.#renewing ??= this.#deps.tabs
      .exclusive('refresh', () => this.#renew(refused))
      .finally(() => {
        this.#renewing = undefined
      })
    return this.#renewing
  }

  async #renew(refused: Readonly<Record<string, string>>): Promise<boolean> {
    const session = await this.#session()
    if (session === undefined || session.ended === true) return false
    // Another tab, or a request before this one, has done it.
    if (bearerOf(session).authorization !== refused['authorization']) return true
    const tokens = await this.#exchange(session)
    this.#renewed.set(session.refreshToken, tokens === undefined ? { ...session, ended: true } : { ...session, ...keptTokens(tokens, this.#deps.clock.now()) })
    return (await this.#session())?.ended !== true
  }

  /** New tokens, or undefined when the server refuses to give any. */
  async #exchange({ refreshToken }: Session): Promise<Tokens | undefined> {
    try {
      return tokensIn(await this.#deps.requests.json(undefined, { method: 'POST', path: '/api/v1/auth/refresh', body: { refreshToken } }))
    } catch (error) {
      if (error instanceof RequestFailure && ['sign-in', 'refused', 'no-access'].includes(error.failure.kind)) return undefined
      throw error
    }
  }

  /**
   * The session as renewed last. It is stored unless somebody has signed out, or in, meanwhile, and used from memory until there is room:
   * who comes later with a token that was exchanged is taken for a thief, and signed out.
   */
  async #session(): Promise<Session | undefined> {
    const { store, address } = this.#deps
    const stored = (await store.read((reader) => readPlace(reader, address)))?.session
    if (stored === undefined || !this.#renewed.has(stored.refreshToken)) return stored
    const session = this.#latest(stored)
    try {
      await store.write(async (writer) => {
        const place = await readPlace(writer, address)
        if (place?.session !== undefined) await writePlace(writer, address, { ...place, session: this.#latest(place.session) })
      })
    } catch {
      return session
    }
    this.#renewed.delete(stored.refreshToken)
    store.announce([])
    return this.#session()
  }

  #latest(session: Session): Session {
    const next = this.#renewed.get(session.refreshToken)
    return next === undefined || next.ended === true ? (next ?? session) : this.#latest(next)
  }
}

/** The tokens of an answer. Throws where something else has answered in the server's place. */
function tokensIn(answer: unknown): Tokens {
  const { accessToken, refreshToken, expiresIn } = (answer ?? {}) as Partial<Tokens>
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string' || typeof expiresIn !== 'number') throw notHoldfast()
  return { accessToken, refreshToken, expiresIn }
}

/** A sign-in as the server answers it. */
export function signedInBy(answer: unknown): SignedIn {
  const signedIn = (answer ?? {}) as Partial<SignedIn>
  tokensIn(answer)
  if (typeof signedIn.user?.id !== 'string' || typeof signedIn.device?.id !== 'string') throw notHoldfast()
  return signedIn as SignedIn
}

/** A session as the device keeps it. */
export function sessionOf({ user, device, ...tokens }: SignedIn, now: number): Session {
  return { user: { id: user.id, email: user.email, displayName: user.displayName }, deviceId: device.id, ...keptTokens(tokens, now) }
}

function keptTokens({ accessToken, refreshToken, expiresIn }: Tokens, now: number): Pick<Session, 'accessToken' | 'refreshToken' | 'expiresAt'> {
  return { accessToken, refreshToken, expiresAt: now + expiresIn * 1_000 }
}

function bearerOf({ accessToken }: Session): { readonly authorization: string } {
  return { authorization: `Bearer ${accessToken}` }
}

function signInAgain(): RequestFailure {
  return new RequestFailure({ kind: 'sign-in' }, { code: 'auth.required', message: 'Sign in to sync.' })
}
