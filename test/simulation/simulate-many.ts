import { fork, type ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { SeedAnswer } from './seed-process.ts'

export interface ManySeeds {
  readonly first: number
  readonly count: number
  /** Stops when so many have failed. */
  readonly failuresMax: number
  /** Plays the seeds; that of another copy of the sources may be named. */
  readonly program?: string
  /** A world that takes longer counts as one that never ends; real milliseconds. */
  readonly seedMsMax?: number
}

export interface FailedSeed {
  readonly seed: number
  readonly says: string
}

const SEED_MS_MAX = 180_000

/** Plays many seeds, in as many processes as the machine has cores. Answers those that failed, in order. */
export async function simulateMany({ first, count, failuresMax, seedMsMax = SEED_MS_MAX, program = fileURLToPath(new URL('./seed-process.ts', import.meta.url)) }: ManySeeds): Promise<FailedSeed[]> {
  const failed: FailedSeed[] = []
  let next = first
  const take = (): number | undefined => (next < first + count && failed.length < failuresMax ? next++ : undefined)
  const processes = Math.min(availableParallelism(), count)
  await Promise.all(Array.from({ length: processes }, () => playOn({ program, seedMsMax }, take, (one) => failed.push(one))))
  return failed.toSorted((one, other) => one.seed - other.seed)
}

/** One process after another: a seed that ends its process, or never ends, has failed. */
async function playOn({ program, seedMsMax }: { readonly program: string; readonly seedMsMax: number }, take: () => number | undefined, fail: (failed: FailedSeed) => void): Promise<void> {
  let player: ChildProcess | undefined
  for (let seed = take(); seed !== undefined; seed = take()) {
    player ??= fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const answer = await play(player, seed, seedMsMax)
    if (answer.says !== undefined) fail({ seed, says: answer.says })
    if (player.exitCode !== null || player.killed) player = undefined
  }
  player?.kill('SIGKILL')
}

function play(player: ChildProcess, seed: number, msMax: number): Promise<SeedAnswer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      player.kill('SIGKILL')
      done({ seed, says: 'The world does not end.' })
    }, msMax)
    const onExit = (code: number | null) => done({ seed, says: `The process ended with ${code}.` })
    const done = (answer: SeedAnswer) => {
      clearTimeout(timer)
      player.off('message', done).off('exit', onExit)
      resolve(answer)
    }
    player.on('message', done).on('exit', onExit)
    player.send(seed)
  })
}
