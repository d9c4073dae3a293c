/**
 * What a reader of everything has been led through, as a cursor says it: `*`, then the collections that the process knew. One that it did not
 * know, because an older program runs beside a newer one, is carried on with the version up to which the reader has it.
 */
export interface LedThrough {
  /** By collection the version up to which the reader has it; undefined means up to the cursor. */
  readonly versions: ReadonlyMap<string, number | undefined>
}

const EVERYTHING = '*'

export function ledThroughText({ versions }: LedThrough): string {
  const parts = [...versions].map(([name, version]) => (version === undefined ? name : `${name}@${version}`))
  return [EVERYTHING, ...parts.toSorted()].join(',')
}

/** Undefined when the cursor is not one of a reader of everything. A cursor that names no collection was led through all there are. */
export function readLedThrough(text: string): LedThrough | undefined {
  const [first, ...parts] = text.split(',')
  if (first !== EVERYTHING) return undefined
  const entries = parts.map((part): [string, number | undefined] => {
    const [name = '', version] = part.split('@')
    return [name, version === undefined ? undefined : Number(version)]
  })
  return { versions: new Map(entries) }
}
