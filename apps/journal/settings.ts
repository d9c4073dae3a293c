import { TEXT_CHARS_MAX } from './app.ts'

const DAY_MS = 86_400_000
const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS }

/** What `HOLDFAST_JOURNAL_…` decides for the text routes. */
export interface JournalSettings {
  /** Characters of a note, in UTF-16 units. */
  readonly textCharsMax: number
  /** Bytes of the JSON body of any text route. */
  readonly bodyBytesMax: number
  /** Links of one call. */
  readonly batchMax: number
  /** How long tombstones are kept, in milliseconds. */
  readonly tombstoneRetentionMs: number
  /** How long earlier states of records are kept, in milliseconds; undefined for ever. */
  readonly historyRetentionMs: number | undefined
  /** How often what is old is looked for, in milliseconds. */
  readonly purgeIntervalMs: number
  /** Bytes of distinct files of one user; undefined when there is no limit. */
  readonly quotaBytes: number | undefined
}

/** Reads the settings from the environment. Throws one error that lists everything that is wrong. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): JournalSettings {
  const problems: string[] = []
  const read = (name: string, byDefault: number, parse: (text: string) => number | undefined): number => {
    const text = environment[`HOLDFAST_JOURNAL_${name}`]
    if (text === undefined || text === '') return byDefault
    const value = parse(text)
    if (value === undefined) problems.push(`HOLDFAST_JOURNAL_${name}: "${text}" is not usable.`)
    return value ?? byDefault
  }
  const quotaBytes = read('QUOTA_BYTES', 0, wholeNumber(0))
  const historyRetentionMs = read('HISTORY_RETENTION', 365 * DAY_MS, (text) => (text === '0' ? 0 : durationMs(text)))
  const settings: JournalSettings = {
    textCharsMax: Math.min(read('TEXT_MAX', TEXT_CHARS_MAX, wholeNumber(1)), TEXT_CHARS_MAX),
    bodyBytesMax: read('BODY_MAX_BYTES', 8_388_608, wholeNumber(1)),
    batchMax: read('MAX_BATCH', 10_000, wholeNumber(1)),
    tombstoneRetentionMs: read('TOMBSTONE_RETENTION', 30 * DAY_MS, durationMs),
    historyRetentionMs: historyRetentionMs === 0 ? undefined : historyRetentionMs,
    purgeIntervalMs: read('PURGE_INTERVAL', 3_600_000, (text) => durationMs(text) || undefined),
    quotaBytes: quotaBytes === 0 ? undefined : quotaBytes,
  }
  if (problems.length > 0) throw new Error(problems.join(' '))
  return settings
}

function wholeNumber(least: number): (text: string) => number | undefined {
  return (text) => {
    const value = Number(text)
    return /^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least ? value : undefined
  }
}

/** A number with a unit of `s`, `m`, `h` or `d`, in milliseconds. */
function durationMs(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd])$/.exec(text)
  return match === null ? undefined : Number(match[1]) * (unitsMs[match[2] ?? ''] ?? 0)
}
