import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodes, UsageError, type Command, type Terminal } from './command.ts'
import { commands } from './command-list.ts'
import { helpOf, overview } from './help.ts'
import { parseCall } from './parse-call.ts'

const terminal: Terminal = { environment: {}, folder: '/', isInteractive: false, out: () => {}, tell: () => {} }
const command: Command = {
  summary: 'Bakes.',
  args: ['place'],
  options: {
    name: { kind: 'text', placeholder: 'name', says: 'What.', required: true },
    role: { kind: 'text', placeholder: 'role', says: 'Who.', oneOf: ['viewer', 'editor'] },
    json: { kind: 'flag', says: 'As JSON.' },
  },
  run: async () => exitCodes.ok,
}
const parse = (...typed: readonly string[]) => parseCall(command, typed, terminal)

test('CLI-7 Options are read in any order, with a blank or = before the value', () => {
  const call = parse('here', '--name', 'a b', '--json', '--role=viewer')
  assert.deepEqual([call.text('name'), call.text('role'), call.flag('json'), call.args], ['a b', 'viewer', true, ['here']])
  const other = parse('--name=--dashes', '--', '--here')
  assert.deepEqual([other.text('name'), other.text('role'), other.flag('json'), other.args], ['--dashes', undefined, false, ['--here']])
})

test('CLI-7 Every wrong call says what is wrong with it', () => {
  for (const [typed, says] of [
    [['x', '--nmae', 'a'], /no option --nmae; did you mean --name\?/],
    [['x', '--name', 'a', '--zzzzzz'], /no option --zzzzzz\.$/],
    [['x', '--name', 'a', '-j'], /no option -j/],
    [['x', '--constructor'], /no option --constructor/],
    [['x', '--__proto__', 'a'], /no option --__proto__/],
    [['x', '--name'], /--name needs a value/],
    [['x', '--name', '--json'], /--name needs a value/],
    [['x', '--name='], /--name needs a value/],
    [['x', '--name', 'a', '--name', 'b'], /given twice/],
    [['x', '--name', 'a', '--json=yes'], /--json takes no value/],
    [['x', '--name', 'a', '--role', 'king'], /one of viewer, editor, not "king"/],
    [['x'], /needs --name <name>/],
    [['--name', 'a'], /needs <place>/],
    [['x', 'y', '--name', 'a'], /"y" is one word too many/],
  ] as const) {
    assert.throws(
      () => parse(...typed),
      (error: unknown) => error instanceof UsageError && says.test(error.message),
      typed.join(' '),
    )
  }
})

test('CLI-7 Every command has a help that names its options, also when what it needs is missing', async () => {
  const all = overview(commands)
  for (const [name, { summary, load }] of commands) {
    assert.ok(all.includes(name) && all.includes(summary))
    const loaded = (await load()).command
    assert.equal(parseCall(loaded, ['--help'], terminal).flag('help'), true)
    const help = helpOf(name, loaded)
    for (const option of Object.keys(loaded.options)) assert.ok(help.includes(`--${option}`), `${name} --${option}`)
  }
})
