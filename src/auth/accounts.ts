import type { Chance } from '../lib/chance.ts'
import { createAccessTokens } from './access-tokens.ts'
import type { AccountDeps } from './account-deps.ts'
import type { AccountEvent } from './account-event.ts'
import type { AccountStore } from './account-store.ts'
import { createKey, listKeys, revokeKey } from './api-keys.ts'
import { createAuthenticator } from './authenticate.ts'
import { createBackground } from './background.ts'
import { endSession, listDevices, listSessions, renameDevice, revokeDevice } from './devices.ts'
import type { Mailer } from './mailer.ts'
import { createSpace, listMembers, listSpaces, removeMember, setMember } from './members.ts'
import { createPasswordHasher, type PasswordCost } from './password-hasher.ts'
import { changePassword, requestReset, resetPassword } from './passwords.ts'
import { login, logout, refresh } from './sign-in.ts'
import { invite, register, setupLink, setUp } from './sign-up.ts'
import { findAccount, listUsers, setDisabled } from './users.ts'

export interface AccountOptions {
  readonly store: AccountStore
  readonly chance: Chance
  readonly mailer: Mailer
  readonly registration: AccountDeps['registration']
  readonly publicUrl: string | undefined
  /** Signs access tokens; at least 32 bytes. */
  readonly accessSecret: string
  /** Derives the successors of refresh tokens; at least 32 bytes, and not the same. */
  readonly refreshSecret: string
  /** Cost of one password hash; lower only in tests. */
  readonly passwordCost?: PasswordCost
  record(event: AccountEvent): void
  onRevoked(): void
}

/** Everything routes and commands do with accounts. Each operation throws `Problem` where the caller asked for something it cannot have. */
export type Accounts = ReturnType<typeof createAccounts>

/** Builds the accounts of a server on a store. */
export function createAccounts(options: AccountOptions) {
  const deps = depsOf(options)
  return {
    ...createAuthenticator(deps),
    register: bind(deps, register),
    setUp: bind(deps, setUp),
    setupLink: () => setupLink(deps),
    invite: () => invite(deps),
    login: bind(deps, login),
    refresh: bind(deps, refresh),
    logout: bind(deps, logout),
    changePassword: bind(deps, changePassword),
    requestReset: bind(deps, requestReset),
    resetPassword: bind(deps, resetPassword),
    findAccount: bind(deps, findAccount),
    listUsers: bind(deps, listUsers),
    setDisabled: bind(deps, setDisabled),
    listDevices: bind(deps, listDevices),
    renameDevice: bind(deps, renameDevice),
    revokeDevice: bind(deps, revokeDevice),
    listSessions: bind(deps, listSessions),
    endSession: bind(deps, endSession),
    listKeys: bind(deps, listKeys),
    createKey: bind(deps, createKey),
    revokeKey: bind(deps, revokeKey),
    listSpaces: bind(deps, listSpaces),
    createSpace: bind(deps, createSpace),
    listMembers: bind(deps, listMembers),
    setMember: bind(deps, setMember),
    removeMember: bind(deps, removeMember),
    /** Resolves when mails and notes of use that were begun are done. */
    settled: () => deps.background.settled(),
  }
}

/** A function with its first argument given. */
function bind<Args extends readonly unknown[], Result>(deps: AccountDeps, operation: (deps: AccountDeps, ...args: Args) => Result): (...args: Args) => Result {
  return (...args) => operation(deps, ...args)
}

function depsOf(options: AccountOptions): AccountDeps {
  const { store, chance, mailer, registration, publicUrl, refreshSecret, record, onRevoked } = options
  const accessTokens = createAccessTokens(options.accessSecret, chance)
  return { store, chance, mailer, registration, publicUrl, refreshSecret, record, onRevoked, accessTokens, hasher: createPasswordHasher(options.passwordCost), background: createBackground(record) }
}
