import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { compileApp } from '../src/app/compile-app.ts'
import { openDatabase } from '../src/server/open-database.ts'
import { moveDatabase, type MoveProgress } from '../src/storage/move-database.ts'
import { makePostgresDatabase } from '../src/testing/make-postgres-database.ts'
import { startTestPostgres } from '../src/testing/test-postgres.ts'
import { benchApp } from './bench-app.ts'
import { startChild } from './child.ts'
import { figure } from './figures.ts'
import { fill } from './reads.ts'
import { holdfastTarget } from './target.ts'

export const moveHead = ['', 'rows', 'copy s', 'compare s', 'chains s', 'rows/s']

/** Moves a server with so many records, its log as long, from SQLite to a PostgreSQL that waits for its disk, and back. */
export async function benchMove(records: number): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  await using postgres = await startTestPostgres({ durable: true })
  try {
    const small = join(folder, 'server')
    await fillServer(small, records)
    const large = (await makePostgresDatabase(postgres.url)).location
    const places = [join(small, 'holdfast.db'), large, join(folder, 'back.db')] as const
    return [await timeMove('to PostgreSQL', places[0], places[1]), await timeMove('to SQLite', places[1], places[2])]
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function fillServer(location: string, records: number): Promise<void> {
  await using child = await startChild('./holdfast-server.ts', [location, '1', '1'])
  const { url, tokens } = await child.ask<{ url: string; tokens: string[] }>({ kind: 'address' })
  await fill({ target: holdfastTarget(url, tokens), child }, records)
}

async function timeMove(name: string, from: string, to: string): Promise<string[]> {
  const [source, target] = [await openDatabase(from), await openDatabase(to)]
  const began = new Map<MoveProgress['step'], number>()
  const started = performance.now()
  const { rows } = await moveDatabase({
    from: source,
    to: target,
    apps: [compileApp(benchApp)],
    migrations: [],
    now: 1,
    onProgress: ({ step }) => void (began.has(step) || began.set(step, performance.now())),
  })
  const ended = performance.now()
  await source.close()
  await target.close()
  const [compare, chains] = [began.get('compare') ?? ended, began.get('chains') ?? ended]
  return [name, figure(rows), ...[compare - started, chains - compare, ended - chains].map((ms) => figure(ms / 1_000)), figure((rows / (ended - started)) * 1_000)]
}
