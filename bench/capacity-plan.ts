/** What one of each costs, as measured. */
export interface Costs {
  /** CPU of server and database for one push of `EDITS_PER_PUSH` records, and for a poll that finds nothing, in milliseconds. */
  readonly push: CpuCost
  readonly poll: CpuCost
  /** Memory of the server for an open event stream, in bytes. */
  readonly streamBytes: number
  /** Disk of the database for a record and its first entry of the log, and for one more edit, in bytes. */
  readonly recordBytes: number
  readonly editBytes: number
}

export interface CpuCost {
  readonly serverMs: number
  /** 0 where the database runs inside the server. */
  readonly databaseMs: number
}

export const EDITS_PER_PUSH = 2
/** A device on an ordinary day. */
const PUSHES_A_DAY = 10
const POLLS_A_DAY = 50
const STREAM_PART_OF_DAY = 1 / 8
/** The busiest minute over the mean. */
const PEAK = 4
/** Machines are planned to be half busy at the peak. */
const HEADROOM = 2

/** One small machine, a server of many, and the largest PostgreSQL that we would run: beyond it, another cell. */
const small = { cores: 2, memoryGb: 4, diskTb: 0.5 } as const
const server = { cores: 8, memoryGb: 16 } as const
const database = { cores: 64, diskTb: 30 } as const

const DAY_S = 86_400
const GB = 1e9
const TB = 1e12

export interface Plan {
  readonly devices: number
  readonly pushesPerS: number
  readonly pollsPerS: number
  readonly streams: number
  readonly serverCores: number
  readonly databaseCores: number
  readonly streamGb: number
  readonly logTbAYear: number
  readonly machines: string
  readonly breaksFirst: string
}

/** What so many devices need, by the costs of SQLite while one small machine does, else by those of PostgreSQL. */
export function planFor(devices: number, { sqlite, postgres }: { readonly sqlite: Costs; readonly postgres: Costs }): Plan {
  const alone = needs(devices, sqlite)
  const fits = alone.serverCores <= small.cores && alone.streamGb <= small.memoryGb / HEADROOM && alone.logTbAYear <= small.diskTb
  if (fits) return { ...alone, machines: `one of ${small.cores} cores with SQLite`, breaksFirst: firstOf(sharesOfSmall(alone)) }
  const wanted = needs(devices, postgres)
  const cells = Math.max(1, Math.ceil(wanted.databaseCores / database.cores), Math.ceil(wanted.logTbAYear / database.diskTb))
  const byMemory = (wanted.streamGb * HEADROOM) / server.memoryGb
  const byCores = wanted.serverCores / server.cores
  const servers = Math.max(2 * cells, Math.ceil(byMemory), Math.ceil(byCores))
  const size = Math.max(2, Math.min(server.cores, 2 ** Math.ceil(Math.log2((Math.max(byMemory, byCores) / servers) * server.cores))))
  const cores = Math.max(2, Math.ceil(wanted.databaseCores / cells))
  const each = `${whole(servers)} servers of ${size} cores and ${size * (server.memoryGb / server.cores)} GB (bound by ${byMemory > byCores ? 'memory for streams' : 'cores'}), ${cells === 1 ? 'a PostgreSQL' : `${whole(cells)} PostgreSQL`} of ${cores} cores with a standby`
  return { ...wanted, machines: cells === 1 ? each : `${whole(cells)} cells: ${each}`, breaksFirst: firstOf(sharesOfDatabase(wanted)) }
}

type Needs = Omit<Plan, 'machines' | 'breaksFirst'>

function needs(devices: number, { push, poll, streamBytes, editBytes }: Costs): Needs {
  const perS = (aDay: number) => (devices * aDay * PEAK) / DAY_S
  const [pushesPerS, pollsPerS, streams] = [perS(PUSHES_A_DAY), perS(POLLS_A_DAY), devices * STREAM_PART_OF_DAY]
  const cores = (part: keyof CpuCost) => ((pushesPerS * push[part] + pollsPerS * poll[part]) * HEADROOM) / 1_000
  return {
    devices,
    pushesPerS,
    pollsPerS,
    streams,
    serverCores: cores('serverMs'),
    databaseCores: cores('databaseMs'),
    streamGb: (streams * streamBytes) / GB,
    logTbAYear: (devices * PUSHES_A_DAY * EDITS_PER_PUSH * editBytes * 365) / TB,
  }
}

type Share = readonly [what: string, share: number]

function sharesOfSmall({ serverCores, streamGb, logTbAYear }: Needs): readonly Share[] {
  return [
    ['cores', serverCores / small.cores],
    ['memory for streams', (streamGb * HEADROOM) / small.memoryGb],
    ['disk for a year of log', logTbAYear / small.diskTb],
  ]
}

/** Of what cannot be had more of by adding servers. */
function sharesOfDatabase({ databaseCores, logTbAYear }: Needs): readonly Share[] {
  return [
    [`the ${database.cores} cores of one database`, databaseCores / database.cores],
    [`the ${database.diskTb} TB of one database, by a year of log`, logTbAYear / database.diskTb],
  ]
}

function firstOf(shares: readonly Share[]): string {
  const [what, share] = shares.toSorted(([, one], [, other]) => other - one)[0] ?? ['', 0]
  return `${what} (${share >= 10 ? `${whole(share)} times over` : `${Math.round(share * 100)} %`})`
}

function whole(value: number): string {
  return Math.ceil(value).toLocaleString('en')
}
