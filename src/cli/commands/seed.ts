import { organisationSpace } from '../../auth/organisation-space.ts'
import { systemActor } from '../../auth/system-actor.ts'
import type { HostedApp } from '../../http/http-context.ts'
import { emailKey } from '../../lib/email-key.ts'
import type { OpenCore } from '../../server/open-core.ts'
import { StartFailure } from '../../server/start-failure.ts'
import { ensureSpace } from '../../storage/space-store.ts'
import { configOption, exitCodes, jsonOption, UsageError, type Call, type Command } from '../command.ts'
import { appOf, configOf, openData } from '../open-data.ts'

export const command: Command = {
  summary: 'Fills a space with sample data. Run again it changes nothing.',
  about: 'Works while the server runs.',
  options: {
    app: { kind: 'text', placeholder: 'app', says: 'The app.', required: true },
    space: { kind: 'text', placeholder: 'name', says: 'The space, where spaces are shared; made at its first mention. Default: default, or what the app says.' },
    user: { kind: 'text', placeholder: 'email', says: 'The account, where spaces are personal.' },
    ...jsonOption,
    ...configOption,
  },
  run,
}

async function run(call: Call): Promise<number> {
  const config = await configOf(call)
  const hosted = appOf(config, call.text('app') ?? '')
  const { app, seed } = hosted
  const [space, user] = [call.text('space'), call.text('user')]
  if (seed === undefined) throw new StartFailure(`${app.name} has no sample data.`)
  if (app.spaces === 'personal' && (user === undefined || space !== undefined)) throw new UsageError(`The spaces of ${app.name} are personal: name an account with --user <email>.`)
  if (app.spaces === 'organisation' && user !== undefined) throw new UsageError(`The spaces of ${app.name} are shared: name one with --space <name>.`)
  await using data = await openData(call, config)
  const key = user === undefined ? await sharedSpace(data, hosted, space) : await personalSpace(data, app.name, user)
  const counts = await seed(data.context, { actor: systemActor, device: null, app: app.name, space: key, role: 'owner', requestId: data.context.chance.id() })
  if (call.flag('json')) call.terminal.out(JSON.stringify(counts))
  else
    call.terminal.out(
      `${app.name} has sample data: ${Object.entries(counts)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}.`,
    )
  return exitCodes.ok
}

async function sharedSpace({ accountDeps }: OpenCore, { app, defaultSpace }: HostedApp, name = defaultSpace ?? 'default'): Promise<number> {
  const { space } = await accountDeps.store.write((writer) => organisationSpace(accountDeps, writer, { app: app.name, name }))
  return space
}

async function personalSpace({ accountDeps, database, context }: OpenCore, app: string, email: string): Promise<number> {
  const user = await accountDeps.store.read((reader) => reader.findUserByEmail(emailKey(email)))
  if (user === undefined) throw new StartFailure(`There is no account ${email}. Make it first: holdfast user add --email ${email}`)
  const { space } = await database.write((tx) => ensureSpace(tx, { id: context.chance.id(), app, kind: 'personal', name: user.id, ownerId: user.id, now: context.chance.now() }))
  return space
}
