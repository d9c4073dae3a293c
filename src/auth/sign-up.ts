import type { OneTimeLink, RegisterRequest, SetupRequest, SignedIn } from '../protocol/accounts.ts'
import { Problem } from '../protocol/problem.ts'
import type { AccountDeps } from './account-deps.ts'
import { accountLimits } from './account-limits.ts'
import type { LinkPurpose } from './account-records.ts'
import type { AccountWriter } from './account-store.ts'
import { hashSecret } from './hash-secret.ts'
import { makeLink } from './make-link.ts'
import { newUser } from './new-user.ts'
import { startSession } from './start-session.ts'

/** Makes an account and signs it in. Throws `registration.closed`, `auth.token_invalid` for a spent invitation, `account.exists`. */
export async function register(deps: AccountDeps, request: RegisterRequest): Promise<SignedIn> {
  const { invite: invitation } = request
  if (deps.registration === 'closed' || (deps.registration === 'invite' && invitation === undefined)) throw new Problem('registration.closed')
  const link = deps.registration === 'invite' ? invitation : undefined
  await requireLink(deps, 'invite', link)
  const user = await newUser(deps, { email: request.email, password: request.password, displayName: request.displayName, serverRole: 'user' })
  const signedIn = await deps.store.write(async (writer) => {
    await spendLink(deps, writer, 'invite', link)
    if (!(await writer.addUser(user))) throw new Problem('account.exists')
    return startSession(deps, writer, user, request.device)
  })
  deps.record({ action: 'auth.register', level: 'info', userId: user.id })
  return signedIn
}

/** Makes the first admin with the set-up link and signs them in. Throws `auth.token_invalid` once there is an admin. */
export async function setUp(deps: AccountDeps, request: SetupRequest): Promise<SignedIn> {
  await requireLink(deps, 'setup', request.token)
  const user = await newUser(deps, { email: request.email, password: request.password, displayName: request.displayName, serverRole: 'admin' })
  const signedIn = await deps.store.write(async (writer) => {
    await spendLink(deps, writer, 'setup', request.token)
    if (await writer.hasAdmin()) throw new Problem('auth.token_invalid')
    if (!(await writer.addUser(user))) throw new Problem('account.exists')
    return startSession(deps, writer, user, request.device)
  })
  deps.record({ action: 'auth.setup', level: 'info', userId: user.id })
  return signedIn
}

/** A link to become the first admin, to be printed at start; undefined once there is one. Lives 24 hours. */
export async function setupLink(deps: AccountDeps): Promise<OneTimeLink | undefined> {
  if (await deps.store.read((reader) => reader.hasAdmin())) return undefined
  return deps.store.write((writer) => makeLink(deps, writer, { purpose: 'setup', userId: null, lifeMs: accountLimits.SETUP_LINK_LIFE_MS }))
}

/** An invitation to register, made by an admin. Lives seven days. */
export async function invite(deps: AccountDeps): Promise<OneTimeLink> {
  return deps.store.write((writer) => makeLink(deps, writer, { purpose: 'invite', userId: null, lifeMs: accountLimits.INVITE_LIFE_MS }))
}

/** Refuses a useless link before a hash is computed for it. */
async function requireLink(deps: AccountDeps, purpose: LinkPurpose, token: string | undefined): Promise<void> {
  if (token === undefined) return
  const key = { hash: hashSecret(token), purpose, now: deps.chance.now() }
  if ((await deps.store.read((reader) => reader.findLink(key))) === undefined) throw new Problem('auth.token_invalid')
}

async function spendLink(deps: AccountDeps, writer: AccountWriter, purpose: LinkPurpose, token: string | undefined): Promise<void> {
  if (token === undefined) return
  if (!(await writer.useLink({ hash: hashSecret(token), purpose, now: deps.chance.now() }))) throw new Problem('auth.token_invalid')
}
