import { globSync, readFileSync } from 'node:fs'
import { run } from 'node:test'
import { parseArgs } from 'node:util'
import { startTestPostgres } from '../src/testing/test-postgres.ts'

/**
 * `npm test [-- part of a path …] [--sqlite | --postgres]`: every test on SQLite, then those that open a database once more on a real
 * PostgreSQL that is started for it. The last line counts both passes.
 */

/** Ends a file that hangs; the runner's own time limit ends tests only, not what they leave open. */
const watchdog = new URL('end-hung-test.ts', import.meta.url).href
/** Files at once: a test opens servers and hashes, and the machines that run this have few cores. */
const FILES_AT_ONCE = 2

interface Failure {
  readonly pass: string
  readonly file: string
  readonly title: string
  readonly error: string
}

interface Totals {
  passed: number
  failed: number
  skipped: number
  readonly failures: Failure[]
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { sqlite: { type: 'boolean', default: false }, postgres: { type: 'boolean', default: false } } })
const all = globSync('{src,apps,examples,test,tools,bench}/**/*.test.ts', { exclude: ['**/node_modules/**'] })
  .toSorted()
  .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
const totals: Totals = { passed: 0, failed: 0, skipped: 0, failures: [] }
const started = performance.now()

if (!values.postgres)
  await runPass(
    'SQLite',
    all.filter((file) => !file.endsWith('.pg.test.ts')),
    totals,
  )
const second = all.filter((file) => file.endsWith('.pg.test.ts') || opensDatabase(file))
if (!values.sqlite && second.length > 0) {
  await using postgres = await startTestPostgres()
  process.env['HOLDFAST_TEST_DATABASE_URL'] = postgres.url
  await runPass('PostgreSQL', second, totals)
}

for (const { pass, file, title, error } of totals.failures) console.log(`\n✖ ${file} (${pass})\n  ${title}\n${indented(error)}`)
if (totals.passed + totals.failed === 0) console.log('No test matched.')
console.log(`\n${((performance.now() - started) / 1_000).toFixed(0)} s`)
console.log(`${totals.passed} passed, ${totals.failed} failed${totals.skipped === 0 ? '' : `, ${totals.skipped} skipped`}`)
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0)

/** A test that opens its world through these can open it on either database. */
function opensDatabase(file: string): boolean {
  return /openTest(?:Database|Accounts|Server|Space|Jobs|Journal|Vault)\b/.test(readFileSync(file, 'utf8'))
}

async function runPass(pass: string, files: readonly string[], counted: Totals): Promise<void> {
  if (files.length === 0) return
  console.log(`\n${pass}: ${files.length} files`)
  const byFile = new Map<string, { passed: number; failed: number; skipped: number }>()
  const countOf = (file: string) => {
    const known = byFile.get(file) ?? { passed: 0, failed: 0, skipped: 0 }
    byFile.set(file, known)
    return known
  }
  const stream = run({ files: [...files], concurrency: FILES_AT_ONCE, execArgv: ['--import', watchdog] })
  stream.on('test:pass', ({ file = '', skip, details }) => {
    if (details.type === 'suite') return
    if (skip !== undefined && skip !== false) countOf(file).skipped += 1
    else countOf(file).passed += 1
  })
  stream.on('test:fail', ({ file = '', name, details }) => {
    // A file that contains a failure fails as a whole as well: that is not one more test.
    if (details.type === 'suite' || (name.endsWith('.test.ts') && countOf(file).failed > 0)) return
    countOf(file).failed += 1
    const error = details.error.cause instanceof Error ? (details.error.cause.stack ?? details.error.cause.message) : String(details.error.cause ?? details.error.message)
    counted.failures.push({ pass, file: relative(file), title: name, error })
    console.log(`  ✖ ${relative(file)}: ${name}\n${indented(error)}`)
  })
  stream.on('test:summary', ({ file, duration_ms: ms }) => {
    if (file === undefined) return
    const { passed, failed, skipped } = countOf(file)
    console.log(`  ${failed > 0 ? '✖' : '✔'} ${relative(file)}  ${passed}${failed > 0 ? ` (${failed} failed)` : ''}${skipped > 0 ? ` (${skipped} skipped)` : ''}  ${(ms / 1_000).toFixed(1)} s`)
  })
  stream.on('test:stderr', ({ message }) => {
    if (!message.includes('Warning')) process.stderr.write(message)
  })
  for await (const _ of stream) {
    // The listeners do the counting; the loop ends with the last file.
  }
  for (const { passed, failed, skipped } of byFile.values()) {
    counted.passed += passed
    counted.failed += failed
    counted.skipped += skipped
  }
}

function indented(error: string): string {
  return error.replaceAll(/^/gm, '    ')
}

function relative(file: string): string {
  return file.replace(`${process.cwd()}/`, '')
}
