import { readdirSync, readFileSync } from 'node:fs'

/**
 * Loaded into each test file's process by run-tests.ts: a file that hangs, also one whose tests have ended and left something open, ends
 * as a failure, and with it every process that it started. A long simulation has a second more for each seed.
 */
const FILE_MS_MAX = Number(process.env['HOLDFAST_TEST_FILE_SECONDS'] ?? 300 + Number(process.env['SIM_SEEDS'] ?? 0)) * 1_000

setTimeout(() => {
  console.error(`The file did not end within ${FILE_MS_MAX / 1_000} s; what keeps it open: ${process.getActiveResourcesInfo().join(', ')}.`)
  for (const pid of descendantsOf(process.pid)) process.kill(pid, 'SIGKILL')
  process.exit(1)
}, FILE_MS_MAX).unref()

/** On Linux, the processes below one; none where the system does not say. */
function descendantsOf(pid: number): number[] {
  let children: number[]
  try {
    children = readdirSync(`/proc/${pid}/task`).flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number))
  } catch {
    return []
  }
  return children.flatMap((child) => [child, ...descendantsOf(child)])
}
