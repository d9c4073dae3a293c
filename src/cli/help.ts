import type { Command } from './command.ts'
import { optionsOf } from './parse-call.ts'

const INDENT = '  '

/** The text of `holdfast --help`. */
export function overview(commands: ReadonlyMap<string, { readonly summary: string }>): string {
  const rows = [...commands].map(([name, { summary }]) => [name, summary] as const)
  return [
    'holdfast: an offline-first backend in one process',
    '',
    'Usage: holdfast <command> [options]',
    '',
    ...columns(rows),
    '',
    'holdfast <command> --help tells more. Settings come from HOLDFAST_… variables or holdfast.config.ts.',
  ].join('\n')
}

/** The text of `holdfast <command> --help`. */
export function helpOf(name: string, command: Command): string {
  const options = optionsOf(command)
  const args = (command.args ?? []).map((arg) => ` <${arg}>`).join('')
  const required = Object.entries(options).flatMap(([option, spec]) => (spec.kind === 'text' && spec.required === true ? [` --${option} <${spec.placeholder}>`] : []))
  const rows = Object.entries(options).map(([option, spec]) => [spec.kind === 'text' ? `--${option} <${spec.placeholder}>` : `--${option}`, saysOf(spec)] as const)
  return [command.summary, '', `Usage: holdfast ${name}${args}${required.join('')} [options]`, '', ...(command.about === undefined ? [] : [command.about, '']), ...columns(rows)].join('\n')
}

function saysOf(spec: Command['options'][string]): string {
  return spec.kind === 'text' && spec.oneOf !== undefined ? `${spec.says} One of ${spec.oneOf.join(', ')}.` : spec.says
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `${INDENT}${left.padEnd(width)}${INDENT}${right}`)
}
