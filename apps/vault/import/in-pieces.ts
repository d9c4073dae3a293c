import { setImmediate } from 'node:timers/promises'

/** Bytes or UTF-16 units that are parsed at a stretch: a few milliseconds, and hardly more entries than are planned at one. */
const PIECE_LENGTH = 8_192

/** A whole in pieces, from start to end, with other work let in between: a large file does not hold up the server. */
export async function* inPieces<Whole extends string | Buffer | readonly unknown[]>(whole: Whole, pieceLength = PIECE_LENGTH): AsyncGenerator<Whole> {
  for (let start = 0; start < whole.length; start += pieceLength) {
    if (start > 0) await setImmediate()
    yield whole.slice(start, start + pieceLength) as Whole
  }
}
