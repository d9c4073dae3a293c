import { configOption, exitCodes, jsonOption, type Call, type Command } from '../command.ts'
import { configOf, openData } from '../open-data.ts'

export const command: Command = {
  summary: 'Brings the database to the state of this program and its apps.',
  about: 'A server does the same when it starts. What could lose data stops with the step to write, and nothing is changed.',
  options: { ...jsonOption, ...configOption },
  run,
}

async function run(call: Call): Promise<number> {
  const config = await configOf(call)
  await using data = await openData(call, config)
  const steps = await data.database.read((reader) => reader.all<{ name: string }>('SELECT name FROM holdfast_migrations ORDER BY applied_at, name'))
  const apps = config.apps.map(({ app }) => app.name)
  if (call.flag('json')) call.terminal.out(JSON.stringify({ epoch: data.context.epoch, migrations: steps.map(({ name }) => name), apps }))
  else call.terminal.out(`The database is in the state of this program (${steps.map(({ name }) => name).join(', ')}) and of ${apps.join(', ')}.`)
  return exitCodes.ok
}
