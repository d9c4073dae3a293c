import type { SpaceRole } from '../app/collection.ts'
import type { SpaceKind } from '../app/define-app.ts'
import { emailKey } from '../lib/email-key.ts'
import { keyNameSchema, type MadeKey } from '../protocol/keys.ts'
import { Problem } from '../protocol/problem.ts'
import type { AccountDeps } from './account-deps.ts'
import { addKeyTo } from './api-keys.ts'
import { organisationSpace } from './organisation-space.ts'
import { requireValid } from './require-valid.ts'
import { systemActor } from './system-actor.ts'

export interface KeyToMake {
  readonly app: string
  readonly spaces: SpaceKind
  readonly name: string
  readonly role: SpaceRole
  /** Name of an organisation's space; `default` when absent. */
  readonly space?: string | undefined
  /** Address of the account in whose personal space the key acts. */
  readonly userEmail?: string | undefined
}

/** Makes a key on the command line: in a space of an organisation, or for an app with personal spaces in that of an account. Throws `request.invalid`. */
export async function addKey(deps: Pick<AccountDeps, 'store' | 'chance'>, wanted: KeyToMake): Promise<MadeKey> {
  const name = requireValid(keyNameSchema, 'name', wanted.name)
  return deps.store.write(async (writer) => {
    const key = { name, role: wanted.role, actor: systemActor, requestId: '' }
    if (wanted.spaces !== 'personal') {
      if (wanted.userEmail !== undefined) throw invalid('user', `The spaces of ${wanted.app} are shared: name one with space.`)
      const space = await organisationSpace(deps, writer, { app: wanted.app, name: wanted.space ?? 'default' })
      return addKeyTo(deps, writer, { ...key, space, createdBy: 'system' })
    }
    if (wanted.userEmail === undefined) throw invalid('user', `The spaces of ${wanted.app} are personal: name the account whose space the key acts in.`)
    const user = await writer.findUserByEmail(emailKey(wanted.userEmail))
    if (user === undefined) throw invalid('user', 'There is no such account.')
    const space = await writer.ensureSpace({ id: deps.chance.id(), app: wanted.app, kind: 'personal', name: user.id, ownerId: user.id, now: deps.chance.now() })
    return addKeyTo(deps, writer, { ...key, space, createdBy: user.id })
  })
}

function invalid(path: string, message: string): Problem {
  return new Problem('request.invalid', { fields: [{ path, message }] })
}
