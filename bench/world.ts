import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild, type Child, type Usage } from './child.ts'
import { sendCalls, type Call, type LoadResult } from './load.ts'
import { floorTarget, holdfastTarget, type Target } from './target.ts'

/** Most devices of one scenario; each signs in once. */
export const DEVICES_MAX = 50

/** The three under comparison, each in a process and on a file of its own. */
export interface World extends AsyncDisposable {
  readonly holdfast: Contender
  readonly floor: Contender
  readonly raw: Child
}

export interface Contender {
  readonly target: Target
  readonly child: Child
}

export interface Measured {
  readonly load: LoadResult
  readonly cpuMs: number
  readonly rss: number
}

export async function openWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  const holdfast = await startChild('./holdfast-server.ts', [join(folder, 'holdfast'), String(DEVICES_MAX)])
  const floor = await startChild('./floor-server.ts', [join(folder, 'floor.db')])
  const raw = await startChild('./raw-worker.ts', [join(folder, 'raw.db')])
  const { url, tokens } = await holdfast.ask<{ url: string; tokens: string[] }>({ kind: 'address' })
  const { url: floorUrl } = await floor.ask<{ url: string }>({ kind: 'address' })
  return {
    holdfast: { target: holdfastTarget(url, tokens), child: holdfast },
    floor: { target: floorTarget(floorUrl), child: floor },
    raw,
    [Symbol.asyncDispose]: async () => {
      for (const child of [holdfast, floor, raw]) await child[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

/** Sends the calls and reads what they cost the server's process. */
export async function measure({ target, child }: Contender, calls: readonly Call[], devices: number): Promise<Measured> {
  const before = await child.usage()
  const load = await sendCalls(target.url, calls, devices)
  const after: Usage = await child.usage()
  return { load, cpuMs: after.cpuMs - before.cpuMs, rss: after.rss }
}
