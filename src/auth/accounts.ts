import { createAccountDeps, type AccountDeps, type AccountOptions } from './account-deps.ts'
import { createKey, listKeys, revokeKey } from './api-keys.ts'
import { createAuthenticator } from './authenticate.ts'
import { endSession, listDevices, listSessions, renameDevice, revokeDevice } from './devices.ts'
import { createSpace, listMembers, listSpaces, removeMember, setMember } from './members.ts'
import { changePassword, requestReset, resetPassword } from './passwords.ts'
import { login, logout, refresh } from './sign-in.ts'
import { invite, register, setupLink, setUp } from './sign-up.ts'
import { findAccount, listUsers, setDisabled } from './users.ts'

/** Everything routes and commands do with accounts. Each operation throws `Problem` where the caller asked for something it cannot have. */
export type Accounts = ReturnType<typeof createAccounts>

/** Builds the accounts of a server on a store. */
export function createAccounts(options: AccountOptions) {
  const deps = createAccountDeps(options)
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
