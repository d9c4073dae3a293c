import { setImmediate } from 'node:timers/promises'

/** Bytes or UTF-16 units that are parsed at a stretch: some tens of milliseconds of the worst there is. */
const PIECE_LENGTH = 65_536

/** A whole in pieces, from start to end, with other work let in between: a large file does not hold up the server. */
export async function* inPieces<Whole extends string | Buffer>(whole: Whole): AsyncGenerator<Whole> {
  for (let start = 0; start < whole.length; start += PIECE_LENGTH) {
    if (start > 0) await setImmediate()
    yield whole.slice(start, start + PIECE_LENGTH) as Whole
  }
}
