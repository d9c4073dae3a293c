import { figure, median, percentile } from './figures.ts'
import type { Call } from './load.ts'
import { measure, type Contender, type Measured, type World } from './world.ts'
import type { Target } from './target.ts'

/** The same work for all three. `operations` is what a rate counts: records or requests. */
export interface Work {
  readonly name: string
  readonly devices: number
  readonly operations: number
  calls(target: Target): readonly Call[]
  /** The question for the raw database; undefined where there is nothing to compare. */
  readonly raw: { readonly kind: string; readonly count: number; readonly batch: number } | undefined
}

export const compareHead = ['', 'holdfast/s', 'floor/s', 'raw/s', '×floor', '×raw', 'p50 ms', 'p95', 'p99', 'CPU ms/1k', 'floor CPU', '×CPU', 'RSS MB']

/** Does the work `rounds` times, the three in turn, so that a machine whose speed drifts treats them alike. Ratios are taken round by round. */
export async function compare(world: World, work: Work, rounds: number): Promise<string[]> {
  const seen: { holdfast: Measured; floor: Measured; rawMs: number }[] = []
  for (let round = 0; round < rounds; round += 1) {
    const holdfast = await measured(world.holdfast, work)
    const floor = await measured(world.floor, work)
    const rawMs = work.raw === undefined ? Number.NaN : (await world.raw.ask<{ ms: number }>(work.raw)).ms
    seen.push({ holdfast, floor, rawMs })
  }
  const rate = (ms: number) => (work.operations / ms) * 1_000
  const perThousand = ({ cpuMs }: Measured) => (cpuMs / work.operations) * 1_000
  const latencies = seen.flatMap(({ holdfast }) => holdfast.load.latenciesMs)
  const middle = (value: (round: (typeof seen)[number]) => number) => figure(median(seen.map(value)))
  return [
    work.name,
    middle(({ holdfast }) => rate(holdfast.load.ms)),
    middle(({ floor }) => rate(floor.load.ms)),
    middle(({ rawMs }) => rate(rawMs)),
    middle(({ holdfast, floor }) => floor.load.ms / holdfast.load.ms),
    middle(({ holdfast, rawMs }) => rawMs / holdfast.load.ms),
    ...[50, 95, 99].map((percent) => figure(percentile(latencies, percent))),
    middle(({ holdfast }) => perThousand(holdfast)),
    middle(({ floor }) => perThousand(floor)),
    middle(({ holdfast, floor }) => holdfast.cpuMs / floor.cpuMs),
    middle(({ holdfast }) => holdfast.rss / 1_048_576),
  ]
}

async function measured(contender: Contender, work: Work): Promise<Measured> {
  return measure(contender, work.calls(contender.target), work.devices)
}
