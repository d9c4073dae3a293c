import { spawn } from 'node:child_process'

/** `npm run check`: types, browser types, lint, format, unused code and the rules of the tree. All run, whatever fails; what failed is shown. */

interface Check {
  readonly name: string
  readonly command: readonly [program: string, ...args: string[]]
}

const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'browser types', command: ['tsc', '-p', 'tsconfig.browser.json'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--quiet'] },
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'unused code', command: ['knip', '--no-progress'] },
  { name: 'tree', command: ['node', '--test', 'tools/tidy.test.ts'] },
]

let failed = 0
for (const check of checks) {
  const started = performance.now()
  const { code, output } = await runCheck(check)
  console.log(`${code === 0 ? '✔' : '✖'} ${check.name}  ${((performance.now() - started) / 1_000).toFixed(1)} s`)
  if (code === 0) continue
  failed += 1
  console.log(output.replaceAll(/^/gm, '    '))
}
process.exit(failed === 0 ? 0 : 1)

function runCheck({ command: [program, ...args] }: Check): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', (error) => resolve({ code: 1, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8') }))
  })
}
