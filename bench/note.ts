import { uuidv7 } from 'uuidv7'

/** The fields of one bench record. */
export interface Note {
  readonly title: string
  readonly body: string
  readonly done: boolean
  readonly rank: number
}

export interface IdentifiedNote extends Note {
  readonly id: string
}

/** Characters that bring the record's JSON, id included, to about 300 bytes. */
const BODY_CHARS = 160

/** A note that differs from every other one. */
export function makeNote(index: number): IdentifiedNote {
  return { id: uuidv7(), title: `Note number ${index}`, body: `${index} `.padEnd(BODY_CHARS, 'the quick brown fox jumps over the lazy dog '), done: index % 3 === 0, rank: index % 1_000 }
}

export function makeNotes(count: number): IdentifiedNote[] {
  return Array.from({ length: count }, (_, index) => makeNote(index))
}
