import { parseArgs } from 'node:util'
import { nearestName } from '../lib/nearest-name.ts'
import { UsageError, type Call, type Command, type OptionSpec, type Terminal } from './command.ts'

const help: OptionSpec = { kind: 'flag', says: 'Show this.' }

/** The options of a command and `--help`, which all have. */
export function optionsOf(command: Command): Readonly<Record<string, OptionSpec>> {
  return { ...command.options, help }
}

/** Reads what was typed behind a command's name. Throws `UsageError` that names what is wrong and what was probably meant. */
export function parseCall(command: Command, typed: readonly string[], terminal: Terminal): Call {
  const specs = optionsOf(command)
  const values = new Map<string, string | true>()
  const args: string[] = []
  for (const token of tokensOf(specs, typed)) {
    if (token.kind === 'positional') args.push(token.value)
    if (token.kind !== 'option') continue
    if (values.has(token.name)) throw new UsageError(`${token.rawName} is given twice.`)
    values.set(token.name, valueOf(specs, token))
  }
  if (!values.has('help')) refuseIncomplete(command, values, args)
  return {
    terminal,
    args,
    text: (name) => {
      const value = values.get(name)
      return typeof value === 'string' ? value : undefined
    },
    flag: (name) => values.has(name),
  }
}

type OptionToken = { readonly kind: 'option'; readonly name: string; readonly rawName: string; readonly value: string | undefined; readonly inlineValue: boolean | undefined }
type Token = OptionToken | { readonly kind: 'positional'; readonly value: string } | { readonly kind: 'option-terminator' }

function tokensOf(specs: Readonly<Record<string, OptionSpec>>, typed: readonly string[]): readonly Token[] {
  const options = Object.fromEntries(Object.entries(specs).map(([name, { kind }]) => [name, { type: kind === 'text' ? 'string' : 'boolean', ...(name === 'help' ? { short: 'h' } : {}) } as const]))
  return parseArgs({ args: [...typed], options, strict: false, allowPositionals: true, tokens: true }).tokens
}

function valueOf(specs: Readonly<Record<string, OptionSpec>>, { name, rawName, value, inlineValue }: OptionToken): string | true {
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
  if (spec === undefined) {
    const nearest = nearestName(name, Object.keys(specs))
    throw new UsageError(`There is no option ${rawName}${nearest === undefined ? '.' : `; did you mean --${nearest}?`}`)
  }
  if (spec.kind === 'flag') {
    if (inlineValue === true) throw new UsageError(`${rawName} takes no value.`)
    return true
  }
  // What begins with a dash is the next option; a value that does can be given with =.
  if (value === undefined || value === '' || (inlineValue !== true && value.startsWith('-'))) throw new UsageError(`${rawName} needs a value: ${rawName} <${spec.placeholder}>`)
  if (spec.oneOf !== undefined && !spec.oneOf.includes(value)) throw new UsageError(`${rawName} is one of ${spec.oneOf.join(', ')}, not "${value}".`)
  return value
}

function refuseIncomplete(command: Command, values: ReadonlyMap<string, string | true>, args: readonly string[]): void {
  const missing = Object.entries(command.options).flatMap(([name, spec]) => (spec.kind === 'text' && spec.required === true && !values.has(name) ? [`--${name} <${spec.placeholder}>`] : []))
  if (missing.length > 0) throw new UsageError(`This needs ${missing.join(' and ')}.`)
  const wanted = command.args ?? []
  const absent = wanted.slice(args.length)
  if (absent.length > 0) throw new UsageError(`This needs ${absent.map((name) => `<${name}>`).join(' and ')}.`)
  const surplus = args[wanted.length]
  if (surplus !== undefined) throw new UsageError(`"${surplus}" is one word too many.`)
}
