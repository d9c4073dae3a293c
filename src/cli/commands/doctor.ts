import { existsSync, statfsSync } from 'node:fs'
import type { Config } from '../../server/config.ts'
import { openToOthers } from '../../server/data-folder.ts'
import { secretProblem } from '../../server/keep-secret.ts'
import { databaseLocation } from '../../server/open-core.ts'
import { checkSqlite } from '../../storage/sqlite-backup.ts'
import { verifyChain } from '../../storage/verify-chain.ts'
import { configOption, exitCodes, jsonOption, type Call, type Command } from '../command.ts'
import { findSpaces } from '../find-spaces.ts'
import { configOf, openAsItIs } from '../open-data.ts'

interface Finding {
  readonly what: string
  readonly ok: boolean
  /** What is wrong and what to do, or how it stands. */
  readonly says: string
}

/** Less free space than this, in bytes, is soon none. */
const FREE_BYTES_MIN = 1_073_741_824

export const command: Command = {
  summary: 'Looks at configuration, data folder, database and logs, and says what is wrong and what to do.',
  about: 'Changes nothing and works while the server runs. Exit code 1 when something is wrong.',
  options: { ...jsonOption, ...configOption },
  run,
}

async function run(call: Call): Promise<number> {
  const findings: Finding[] = []
  const config = await configOf(call)
  findings.push({ what: 'configuration', ok: true, says: `apps ${config.apps.map(({ app }) => app.name).join(', ')}` })
  const location = databaseLocation(config)
  const isFile = config.databaseUrl === undefined
  if (isFile && !existsSync(location)) findings.push({ what: 'database', ok: true, says: `there is none at ${location} yet; the first start makes it` })
  else {
    if (isFile) findings.push(...checkFolder(config.data))
    const file = isFile ? checkFile(location) : undefined
    if (file !== undefined) findings.push(file)
    if (file?.ok !== false) findings.push(...(await checkLogs(config)))
  }
  const wrong = findings.filter(({ ok }) => !ok).length
  if (call.flag('json')) call.terminal.out(JSON.stringify({ ok: wrong === 0, findings }))
  else for (const { what, ok, says } of findings) call.terminal.out(`${ok ? '✔' : '✖'} ${what}: ${says}`)
  return wrong === 0 ? exitCodes.ok : exitCodes.failed
}

function checkFolder(folder: string): Finding[] {
  const open = openToOthers(folder)
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const gib = (free / 1_073_741_824).toFixed(1)
  const secret = secretProblem(folder)
  return [
    { what: 'secret', ok: secret === undefined, says: secret ?? 'for its owner alone' },
    { what: 'data folder', ok: open === undefined, says: open ?? `${folder}, for its owner alone` },
    { what: 'disk', ok: free >= FREE_BYTES_MIN, says: free >= FREE_BYTES_MIN ? `${gib} GiB free` : `only ${gib} GiB free: make room, before writes are refused` },
  ]
}

function checkFile(location: string): Finding {
  const problem = checkSqlite(location)
  return { what: 'database', ok: problem === undefined, says: problem === undefined ? `${location} is sound` : `${problem}. Stop the server and restore a backup: holdfast restore --from <file>` }
}

async function checkLogs(config: Config): Promise<Finding[]> {
  const database = await openAsItIs(config)
  try {
    const findings: Finding[] = []
    let entries = 0
    for (const { space, app, name } of await findSpaces(database)) {
      const check = await verifyChain(database, space)
      if (check.kind === 'intact') entries += check.entries
      else findings.push({ what: `log of ${app}/${name}`, ok: false, says: `broken at entry ${check.seq}. ${check.reason} Somebody changed the database by hand: compare with a backup.` })
    }
    return findings.length > 0 ? findings : [{ what: 'logs', ok: true, says: `${entries} entries, all chains intact` }]
  } finally {
    await database.close()
  }
}
