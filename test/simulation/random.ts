/** A source of chance that gives the same for the same seed. */
export interface Random {
  /** At least 0, below 1. */
  fraction(): number
  /** A whole number of at least 0, below `end`. */
  below(end: number): number
  /** True this often. */
  chance(probability: number): boolean
  pick<Value>(values: readonly Value[]): Value
}

/** Mulberry32: 32 bits of state, well mixed, enough for the choices of one world. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (end: number): number => Math.floor(fraction() * end)
  return {
    fraction,
    below,
    chance: (probability) => fraction() < probability,
    pick: (values) => {
      const value = values[below(values.length)]
      if (value === undefined) throw new RangeError('There is nothing to pick from.')
      return value
    },
  }
}
