import { nearestName } from '../lib/nearest-name.ts'
import { Problem } from '../protocol/problem.ts'
import { StartFailure } from '../server/start-failure.ts'
import { StorageUnavailable } from '../storage/database.ts'
import { exitCodes, UsageError, type Terminal } from './command.ts'
import { commands } from './command-list.ts'
import { helpOf, overview } from './help.ts'
import { parseCall } from './parse-call.ts'

/** Runs what was typed behind `holdfast` and answers the exit code: 0 done, 1 failed, 2 called wrongly. */
export async function runCommand(typed: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = typed
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    terminal.out(overview(commands))
    return first === undefined ? exitCodes.usage : exitCodes.ok
  }
  const name = [typed.slice(0, 2).join(' '), first].find((candidate) => commands.has(candidate))
  const listed = name === undefined ? undefined : commands.get(name)
  if (name === undefined || listed === undefined) return refuseUnknown(typed, terminal)
  const { command } = await listed.load()
  try {
    const call = parseCall(command, typed.slice(name.split(' ').length), terminal)
    if (call.flag('help')) {
      terminal.out(helpOf(name, command))
      return exitCodes.ok
    }
    return await command.run(call)
  } catch (error) {
    return explain(name, error, terminal)
  }
}

function refuseUnknown(typed: readonly string[], terminal: Terminal): number {
  const words = typed.slice(0, 2).filter((word) => !word.startsWith('-'))
  const wanted = words.join(' ')
  const group = [...commands.keys()].filter((name) => name.startsWith(`${words[0]} `))
  const nearest = nearestName(wanted, commands.keys()) ?? nearestName(words[0] ?? '', commands.keys())
  const meant = group.length > 0 ? ` There is ${group.join(', ')}.` : nearest === undefined ? '' : ` Did you mean ${nearest}?`
  terminal.tell(`There is no command "${wanted === '' ? typed[0] : wanted}".${meant}`)
  terminal.tell(`Commands: ${[...commands.keys()].join(', ')}`)
  return exitCodes.usage
}

function explain(name: string, error: unknown, terminal: Terminal): number {
  if (error instanceof UsageError) {
    terminal.tell(`${error.message}\nholdfast ${name} --help shows how it is called.`)
    return exitCodes.usage
  }
  if (error instanceof Problem) {
    const fields = (error.options.fields ?? []).map(({ path, message }) => `--${path}: ${message}`)
    terminal.tell(fields.length > 0 ? fields.join('\n') : error.message)
    return exitCodes.failed
  }
  if (error instanceof StartFailure || error instanceof StorageUnavailable) terminal.tell(error.message)
  else terminal.tell(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return exitCodes.failed
}
