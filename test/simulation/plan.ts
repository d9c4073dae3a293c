import type { CrashPoint } from './crashing-database.ts'
import { createRandom, type Random } from './random.ts'
import type { DiskCrash } from './simulated-disk.ts'
import { calm, type Weather } from './simulated-network.ts'
import type { RestoreKind } from './simulated-server.ts'

export const DEVICES = 3
export const RECORDS = 3
export const ACCOUNTS = ['p', 'q'] as const
export type Account = (typeof ACCOUNTS)[number]

export type EditKind = 'put' | 'title' | 'long-title' | 'body' | 'tag' | 'tally' | 'form' | 'mark' | 'page' | 'together' | 'delete'

type DeviceAct = 'sync' | 'go-offline' | 'go-online' | 'restart' | 'reload' | 'upgrade' | 'fill-disk' | 'empty-disk' | 'pause' | 'resume' | 'retry' | 'discard'
type ServerAct = 'server-restart' | 'server-upgrade' | 'backup' | 'compact' | 'read' | 'night'

/** Something that happens at a device, or to it, after a while. */
export type DeviceStep = { readonly who: number; readonly afterMs: number } & (
  | { readonly kind: DeviceAct }
  | { readonly kind: 'edit'; readonly what: EditKind; readonly record: number; readonly typesMs?: number }
  | { readonly kind: 'crash'; readonly crash: DiskCrash }
  | { readonly kind: 'resolve'; readonly choice: 'mine' | 'theirs' | 'newest' | 'both'; readonly thinksMs?: number }
  | { readonly kind: 'switch'; readonly account: Account }
  | { readonly kind: 'clock'; readonly skewMs: number }
)

/** Something that happens elsewhere, after a while. */
export type OtherStep = { readonly afterMs: number } & (
  | { readonly kind: ServerAct }
  | { readonly kind: 'weather'; readonly weather: Weather }
  | { readonly kind: 'server-crash'; readonly point: CrashPoint }
  | { readonly kind: 'restore'; readonly how: RestoreKind }
)

export type Step = DeviceStep | OtherStep

const STEPS_MIN = 20
const STEPS_MORE = 40
const SECOND = 1_000
const DAY = 86_400_000

type Maker = readonly [weight: number, make: (random: Random) => Step]

const who = (random: Random): number => random.below(DEVICES)
const soon = (random: Random): number => (random.chance(0.15) ? random.below(70 * SECOND) : random.below(3 * SECOND))
const simple =
  (kind: DeviceAct): ((random: Random) => Step) =>
  (random) => ({ kind, who: who(random), afterMs: soon(random) })
const ofServer =
  (kind: ServerAct): ((random: Random) => Step) =>
  (random) => ({ kind, afterMs: soon(random) })

const always: readonly Maker[] = [
  [
    40,
    (random) => ({
      kind: 'edit',
      who: who(random),
      what: random.pick(['put', 'title', 'title', 'long-title', 'body', 'tag', 'tally', 'tally', 'form', 'mark', 'page', 'together', 'delete']),
      record: random.below(RECORDS),
      typesMs: random.chance(0.3) ? random.below(60 * SECOND) : 0,
      afterMs: soon(random),
    }),
  ],
  [14, simple('sync')],
  [4, simple('go-offline')],
  [6, simple('go-online')],
  [3, simple('restart')],
  [6, (random) => ({ kind: 'crash', who: who(random), crash: { left: random.below(8), behind: random.chance(0.5), power: random.chance(0.5) }, afterMs: soon(random) })],
  [4, (random) => ({ kind: 'resolve', who: who(random), choice: random.pick(['mine', 'theirs', 'newest', 'both']), thinksMs: random.below(60 * SECOND), afterMs: soon(random) })],
  [2, simple('retry')],
  [1, simple('discard')],
  [4, (random) => ({ kind: 'weather', weather: random.chance(0.3) ? calm : badWeather(random), afterMs: soon(random) })],
  [6, (random) => ({ kind: 'server-crash', point: random.chance(0.4) ? { kind: 'committed' } : { kind: 'statement', left: random.below(25) }, afterMs: soon(random) })],
  [1, ofServer('server-restart')],
  [8, ofServer('read')],
]

/** What a seed may have besides; each of them or not, so that every seed is about something. */
const sometimes: readonly (readonly Maker[])[] = [
  [
    [3, ofServer('backup')],
    [2, (random) => ({ kind: 'restore', how: random.pick(['file', 'marked']), afterMs: soon(random) })],
  ],
  [[4, ofServer('compact')]],
  [[3, (random) => ({ kind: 'clock', who: who(random), skewMs: random.pick([0, -DAY, DAY, -5 * SECOND, 90 * SECOND, 365 * DAY]), afterMs: soon(random) })]],
  [
    [1, ofServer('server-upgrade')],
    [2, simple('upgrade')],
  ],
  [[4, (random) => ({ kind: 'switch', who: who(random), account: random.pick(ACCOUNTS), afterMs: soon(random) })]],
  [
    [2, simple('fill-disk')],
    [4, simple('empty-disk')],
  ],
  [
    [1, simple('reload')],
    [1, simple('pause')],
    [2, simple('resume')],
  ],
  [[1, ofServer('night')]],
]

/** The steps of a seed. */
export function makePlan(seed: number): Step[] {
  const random = createRandom(seed)
  const makers = [...always, ...sometimes.filter(() => random.chance(0.35)).flat()]
  const total = makers.reduce((sum, [weight]) => sum + weight, 0)
  return Array.from({ length: STEPS_MIN + random.below(STEPS_MORE) }, () => {
    let left = random.below(total)
    for (const [weight, make] of makers) {
      if (left < weight) return make(random)
      left -= weight
    }
    throw new Error('The weights do not add up.')
  })
}

function badWeather(random: Random): Weather {
  const often = () => (random.chance(0.5) ? random.fraction() * 0.3 : 0)
  return { lost: often(), unheard: often(), twice: often(), cut: often(), refused: often(), delayMsMax: random.pick([20, 500, 10_000]) }
}

/** A step in a few words, for the story of a failure. */
export function tellStep({ afterMs, kind, ...details }: Step): string {
  return `after ${String(afterMs).padStart(6)} ms: ${kind} ${Object.entries(details)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(' ')}`
}
