import { StartFailure } from '../../server/start-failure.ts'
import { verifyChain } from '../../storage/verify-chain.ts'
import { configOption, exitCodes, jsonOption, type Call, type Command } from '../command.ts'
import { findSpaces } from '../find-spaces.ts'
import { appOf, configOf, openAsItIs } from '../open-data.ts'

export const command: Command = {
  summary: 'Checks that the log of changes is as it was written: nothing changed, removed, added or swapped.',
  about: 'Works while the server runs. Exit code 1 means that a log is broken, or that there is no such space.',
  options: {
    app: { kind: 'text', placeholder: 'app', says: 'Only spaces of this app.' },
    space: { kind: 'text', placeholder: 'name', says: 'Only this space: its name or id, or the address of the account that owns it.' },
    ...jsonOption,
    ...configOption,
  },
  run,
}

async function run(call: Call): Promise<number> {
  const config = await configOf(call)
  const app = call.text('app')
  if (app !== undefined) appOf(config, app)
  const database = await openAsItIs(config)
  const checks = []
  try {
    const spaces = await findSpaces(database, { app, named: call.text('space') })
    if (call.text('space') !== undefined && spaces.length === 0) throw new StartFailure(`There is no space "${call.text('space')}"${app === undefined ? '' : ` of ${app}`}.`)
    for (const { space, ...names } of spaces) checks.push({ ...names, ...(await verifyChain(database, space)) })
  } finally {
    await database.close()
  }
  const broken = checks.filter(({ kind }) => kind === 'broken').length
  if (call.flag('json')) call.terminal.out(JSON.stringify({ intact: broken === 0, spaces: checks }))
  else {
    for (const check of checks)
      call.terminal.out(
        check.kind === 'intact'
          ? `${check.app}/${check.name}: intact, ${check.entries} entries${check.forgotten === 0 ? '' : ` behind ${check.forgotten} that are no longer kept`}, head ${check.head}`
          : `${check.app}/${check.name}: BROKEN at entry ${check.seq}. ${check.reason}`,
      )
    call.terminal.tell(broken === 0 ? `${checks.length} logs are intact.` : `${broken} of ${checks.length} logs are broken.`)
  }
  return broken === 0 ? exitCodes.ok : exitCodes.failed
}
