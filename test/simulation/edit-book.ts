import type { Account } from './plan.ts'

/** One edit that somebody made, known by a word that stands nowhere else. */
export interface BookedEdit {
  readonly token: string
  readonly account: Account
  readonly device: string
  readonly collection: string
  readonly id: string
  readonly what: string
  /** Words that its writer saw in what it overwrites: whoever sees this edit knows that those were replaced. */
  readonly replaces: readonly string[]
  /** `kept`: the device has said so. `lost`: the device died over it, so that it may be there or not. */
  state: 'asked' | 'kept' | 'refused' | 'lost'
}

/** Edits that say a part of their record. */
const parts = new Set(['title', 'body', 'tag', 'tally'])

/** Everything that people wrote in one world, and what became of it by somebody's choice. */
export class EditBook {
  readonly edits: BookedEdit[] = []
  /** Words that a person threw away: the losing side of a conflict, a refused edit. */
  readonly #discarded = new Set<string>()
  /** Words that were seen among the refused. */
  readonly #refused = new Set<string>()

  /** A word for the next edit of an account. */
  word(account: Account): string {
    return `${account}${this.edits.length + 1};`
  }

  discard(text: string): void {
    for (const word of wordsIn(text)) this.#discarded.add(word)
  }

  /** A deletion carries no word: somebody decided that the record stays. */
  discardDeletions({ collection, id }: Pick<BookedEdit, 'collection' | 'id'>): void {
    for (const edit of this.edits) if (edit.what === 'delete' && edit.collection === collection && edit.id === id) this.#discarded.add(edit.token)
  }

  refuse(text: string): void {
    for (const word of wordsIn(text)) this.#refused.add(word)
  }

  /** Edits that are nowhere: `isHere` tells whether a word stands in some place where an edit may be. */
  missing(isHere: (edit: BookedEdit) => boolean): BookedEdit[] {
    const known = new Map<string, boolean>()
    const replacedBy = new Map<string, BookedEdit[]>()
    for (const edit of this.edits) for (const word of edit.replaces) replacedBy.set(word, [...(replacedBy.get(word) ?? []), edit])
    const accounted = (edit: BookedEdit): boolean => {
      const before = known.get(edit.token)
      if (before !== undefined) return before
      // An edit replaces only what was there before it, so that this ends.
      const answer = this.#discarded.has(edit.token) || isHere(edit) || this.#isSettled(edit) || (replacedBy.get(edit.token) ?? []).some((later) => later.state !== 'refused' && accounted(later))
      known.set(edit.token, answer)
      return answer
    }
    return this.edits.filter((edit) => edit.state === 'kept' && !accounted(edit))
  }

  /** What was refused of a record is settled by a later edit of that record that says all of it. */
  #isSettled({ token, device, collection, id, what }: BookedEdit): boolean {
    if (!this.#refused.has(token)) return false
    const at = this.edits.findIndex((edit) => edit.token === token)
    // What is refused carries its word in the title, where it has one.
    const says = (later: BookedEdit) => !parts.has(later.what) || later.what === (what === 'put' || what === 'long-title' ? 'title' : what)
    return this.edits.some((edit, index) => index > at && edit.device === device && edit.collection === collection && edit.id === id && says(edit) && edit.state !== 'refused')
  }
}

export function wordsIn(text: string): string[] {
  return text.match(/[pq]\d+;/g) ?? []
}
