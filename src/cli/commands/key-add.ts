import { addKey } from '../../auth/add-key.ts'
import { configOption, exitCodes, jsonOption, UsageError, type Call, type Command } from '../command.ts'
import { appOf, configOf, openData } from '../open-data.ts'
import { roleNames, roleOf } from '../roles.ts'

export const command: Command = {
  summary: 'Makes an API key. It is shown this once.',
  about:
    'Works while the server runs. The key acts in one space: for an app whose spaces are shared, the one of --space,\nwhich is made at its first mention; for an app with personal spaces, that of the account of --user.',
  options: {
    app: { kind: 'text', placeholder: 'app', says: 'The app in which the key acts.', required: true },
    name: { kind: 'text', placeholder: 'name', says: 'What people call it, such as the device that uses it. Default: command line.' },
    role: { kind: 'text', placeholder: 'role', says: 'What it may do. Default: editor.', oneOf: roleNames },
    space: { kind: 'text', placeholder: 'name', says: 'The space, where spaces are shared. Default: default, or what the app says.' },
    user: { kind: 'text', placeholder: 'email', says: 'The account, where spaces are personal.' },
    ...jsonOption,
    ...configOption,
  },
  run,
}

async function run(call: Call): Promise<number> {
  const config = await configOf(call)
  const { app, defaultSpace } = appOf(config, call.text('app') ?? '')
  if (app.spaces === 'personal' && call.text('space') !== undefined) throw new UsageError(`The spaces of ${app.name} are personal: name an account with --user instead of --space.`)
  await using data = await openData(call, config)
  const made = await addKey(data.accountDeps, {
    app: app.name,
    spaces: app.spaces,
    name: call.text('name') ?? 'command line',
    role: roleOf(call.text('role') ?? 'editor'),
    space: call.text('space') ?? defaultSpace,
    userEmail: call.text('user'),
  })
  if (call.flag('json')) call.terminal.out(JSON.stringify({ id: made.id, key: made.key }))
  else {
    call.terminal.out(made.key)
    call.terminal.tell(`This is the key "${made.name}" (${made.role}, ${app.name}). It is not shown again. Send it as X-API-Key.`)
  }
  return exitCodes.ok
}
