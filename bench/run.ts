import { cpus, platform, release } from 'node:os'
import { parseArgs } from 'node:util'
import { compare, compareHead } from './compare.ts'
import { figure, percentile, tableText } from './figures.ts'
import { benchJobs, jobsHead } from './jobs.ts'
import { benchMove, moveHead } from './move.ts'
import { benchPostgres } from './postgres.ts'
import { fill, firstPull, pollsBesideSnapshot, readWorks } from './reads.ts'
import { benchVault } from './vault.ts'
import { openWorld } from './world.ts'
import { writeWorks } from './writes.ts'

/**
 * `npm run bench`: the server beside the raw database and beside the smallest server there could be, in turn, in one run.
 * Ratios are what to read; rates depend on the machine, which also runs the load. `--quick` for a first look,
 * `--postgres` for the same on a PostgreSQL that it starts.
 */
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, only: { type: 'string' }, records: { type: 'string' }, postgres: { type: 'boolean', default: false } },
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
const scale = values.quick ? 0.25 : 1
const only = values.only?.split(',') ?? (values.postgres ? ['postgres'] : undefined)
const wants = (part: string) => only === undefined || only.includes(part)
const pulled = Number(values.records ?? (values.quick ? 20_000 : 100_000))
const streamed = Number(values.records ?? (values.quick ? 100_000 : 1_000_000))

console.log(`Node ${process.version}, ${platform()} ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; rounds: ${rounds}\n`)

if (wants('reads')) {
  await using world = await openWorld()
  const ids = new Map([
    ['holdfast', await fill(world.holdfast, pulled)],
    ['floor', await fill(world.floor, pulled)],
  ] as const)
  await world.raw.ask({ kind: 'insert', count: pulled, batch: 1_000 })
  console.log(`First pull of ${figure(pulled)} records\n${tableText(await firstPull(world, rounds))}\n`)
  console.log(`Reads\n${tableText([compareHead, ...(await readWorks(world, rounds, ids, values.quick ? 1_000 : 5_000))])}\n`)
}

if (wants('writes')) {
  await using world = await openWorld()
  const rows: string[][] = []
  for (const work of writeWorks(scale)) rows.push(await compare(world, work, rounds))
  console.log(`Durable writes, 300-byte records (raw: one transaction of the same batch at a time)\n${tableText([compareHead, ...rows])}\n`)
}

if (wants('stream')) {
  await using world = await openWorld()
  await fill(world.holdfast, streamed)
  const { idle, beside, snapshotMs } = await pollsBesideSnapshot(world, 2_000)
  const row = (name: string, latencies: readonly number[]) => [name, figure(latencies.length), ...[50, 95, 99].map((percent) => figure(percentile(latencies, percent)))]
  console.log(`Delta polls beside a snapshot of ${figure(streamed)} records (${figure(snapshotMs / 1_000)} s)`)
  console.log(tableText([['', 'polls', 'p50 ms', 'p95', 'p99'], row('idle', idle), row('beside', beside)]))
  console.log(`p99 beside / idle: ${figure(percentile(beside, 99) / percentile(idle, 99))}; server RSS ${figure((await world.holdfast.child.usage()).rss / 1_048_576)} MB\n`)
}

if (wants('jobs')) {
  const rows = await benchJobs(pulled, rounds)
  console.log(`${figure(pulled)} jobs that do nothing, added and run by one process (raw: insert and update of the same number in batches of 1,000)\n${tableText([jobsHead, ...rows])}\n`)
}

if (wants('postgres')) {
  console.log(`On PostgreSQL, durable, 300-byte records (raw: one statement of the same batch, on as many connections)`)
  console.log(`${await benchPostgres({ rounds, scale, records: pulled })}\n`)
}

if (wants('move')) {
  console.log(`holdfast migrate-database with ${figure(pulled)} records and as many entries of the log\n${tableText([moveHead, ...(await benchMove(pulled))])}\n`)
}

if (wants('vault')) console.log(`A vault of ${figure(pulled)} items, one read at a time (CPU of the server alone)\n${await benchVault(pulled, Math.max(rounds, 5))}\n`)
