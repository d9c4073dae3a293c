import { addUser } from '../../auth/add-user.ts'
import { emailKey } from '../../lib/email-key.ts'
import { StartFailure } from '../../server/start-failure.ts'
import type { OpenCore } from '../../server/open-core.ts'
import { configOption, exitCodes, jsonOption, UsageError, type Call, type Command } from '../command.ts'
import { appOf, configOf, openData } from '../open-data.ts'
import { roleNames, roleOf } from '../roles.ts'

export const command: Command = {
  summary: 'Makes an account unless there is one, and gives it a role in a shared space.',
  about: 'Works while the server runs. A new account gets a password that is shown this once.',
  options: {
    email: { kind: 'text', placeholder: 'email', says: 'Address of the account.', required: true },
    name: { kind: 'text', placeholder: 'name', says: 'What people call the person. Default: what stands before the @.' },
    admin: { kind: 'flag', says: 'A new account may administer the server.' },
    app: { kind: 'text', placeholder: 'app', says: 'An app whose spaces are shared, to give the account a role there.' },
    role: { kind: 'text', placeholder: 'role', says: 'The role in the space. Default: editor.', oneOf: roleNames },
    space: { kind: 'text', placeholder: 'name', says: 'The space, made at its first mention. Default: default, or what the app says.' },
    ...jsonOption,
    ...configOption,
  },
  run,
}

async function run(call: Call): Promise<number> {
  const config = await configOf(call)
  const appName = call.text('app')
  if (appName === undefined && (call.text('role') ?? call.text('space')) !== undefined) throw new UsageError('--role and --space need --app <app>.')
  const hosted = appName === undefined ? undefined : appOf(config, appName)
  const role = roleOf(call.text('role') ?? 'editor')
  const space = call.text('space') ?? hosted?.defaultSpace ?? 'default'
  const email = call.text('email') ?? ''
  await using data = await openData(call, config)
  if (call.flag('admin')) await refuseKnown(data, email)
  const membership = hosted === undefined ? undefined : { app: hosted.app.name, spaces: hosted.app.spaces, role, space }
  const added = await addUser(data.accountDeps, { email, displayName: call.text('name'), serverRole: call.flag('admin') ? 'admin' : 'user', membership })
  if (call.flag('json')) {
    const { id, password } = added
    const place = membership === undefined ? {} : { app: membership.app, space, role: call.text('role') ?? role }
    call.terminal.out(JSON.stringify({ id, email: added.email, ...place, ...(password === undefined ? {} : { password }) }))
  } else tellAdded(call, added, membership)
  return exitCodes.ok
}

function tellAdded(
  { terminal }: Call,
  { email, password }: { readonly email: string; readonly password?: string },
  membership: { readonly app: string; readonly role: string; readonly space: string } | undefined,
): void {
  terminal.tell(password === undefined ? `${email} has an account and keeps its password.` : `Made an account for ${email}. Its password is not shown again:`)
  if (password !== undefined) terminal.out(password)
  if (membership !== undefined) terminal.tell(`It is ${membership.role} in the space ${membership.space} of ${membership.app}.`)
}

/** An account that exists keeps its role, so `--admin` would be a promise that is not kept. */
async function refuseKnown({ accountDeps }: OpenCore, email: string): Promise<void> {
  const user = await accountDeps.store.read((reader) => reader.findUserByEmail(emailKey(email)))
  if (user !== undefined && user.serverRole !== 'admin') throw new StartFailure(`${user.email} has an account, which keeps its role. Make the admin with another address.`)
}
