import type { BookedEdit, EditBook } from './edit-book.ts'
import { wordsIn } from './edit-book.ts'
import type { Account, EditKind } from './plan.ts'
import type { SimulatedDevice } from './simulated-device.ts'

export const TALLY = 't0'
const LONG_TITLE = 'x'.repeat(40)

/** How often each account has counted; what a device died over may count or not. */
export interface Counted {
  kept: number
  lost: number
}

/** Whoever sits at a device: writes words that stand nowhere else, and books them. */
export class Person {
  readonly #device: SimulatedDevice
  readonly #book: EditBook
  readonly #counted: Readonly<Record<Account, Counted>>

  constructor(device: SimulatedDevice, book: EditBook, counted: Readonly<Record<Account, Counted>>) {
    this.#device = device
    this.#book = book
    this.#counted = counted
  }

  /**
   * Makes an edit on what the device shows. Ends when the device says so; never when it dies meanwhile. A title may be typed in an editor;
   * `type` waits for that and answers whether the editor is still there.
   */
  async edit(account: Account, what: EditKind, record: number, type?: () => Promise<boolean>): Promise<void> {
    const { client } = this.#device
    const [noteId, id] = [`n${record}`, `r${record}`]
    const opened = await client.notes.get(noteId)
    const note = opened?.data
    switch (what) {
      case 'tally':
        return this.#count(account)
      case 'form':
        return this.#write({ account, what, collection: 'forms', id }, (await client.forms.get(id))?.data, (word) => client.forms.put(id, { text: word }))
      case 'mark':
        return this.#write({ account, what, collection: 'marks', id }, (await client.marks.get(id))?.data, (word) => client.marks.put(id, { colour: word }))
      case 'page':
        await this.#write({ account, what, collection: 'books', id }, (await client.books.get(id))?.data, (word) => client.books.put(id, { name: word }))
        return this.#write({ account, what, collection: 'pages', id }, (await client.pages.get(id))?.data, (word) => client.pages.put(id, { book: id, text: word }))
      case 'together':
        return this.#writeTogether(account, id)
      case 'delete':
        return note === undefined ? undefined : this.#write({ account, what, collection: 'notes', id: noteId }, note, () => client.notes.delete(noteId))
      case 'put':
      case 'title':
      case 'long-title':
      case 'body':
      case 'tag': {
        const kind = note === undefined && what !== 'long-title' ? 'put' : what
        const place = { account, what: kind, collection: 'notes', id: noteId }
        switch (kind) {
          case 'put':
            return this.#write(place, note, (word) => client.notes.put(noteId, { title: word }))
          case 'long-title':
            return this.#write(place, note, (word) => client.notes.put(noteId, { title: `${word}${LONG_TITLE}`, body: '', tags: [] }))
          case 'title':
            if ((await type?.()) === false) return
            return this.#write(place, note?.title, (word) => client.notes.patch(noteId, { title: word }, opened))
          case 'body':
            return this.#write(place, undefined, (word) => client.notes.patch(noteId, { body: record === 0 ? `${note?.body ?? ''}\n${word}` : `${word}\n${note?.body ?? ''}` }))
          case 'tag':
            return this.#write(place, undefined, (word) => client.notes.patch(noteId, { tags: [...(note?.tags ?? []), word] }))
        }
      }
    }
  }

  /** Mends a refused edit by a title that is short enough, or throws it away. */
  async mend(how: 'retry' | 'discard'): Promise<void> {
    const { client } = this.#device
    const [first] = await client.rejected.list()
    if (first === undefined) return
    const [word] = wordsIn(String(first.data?.['title'] ?? ''))
    if (how === 'retry') await client.rejected.retry(first.n, first.collection === 'notes' && word !== undefined ? { title: word } : undefined)
    else {
      this.#book.discard(JSON.stringify(first))
      await client.rejected.discard(first.n)
    }
  }

  /** Decides all conflicts of the device, after having looked at them for a while; the side that loses is thrown away by choice. */
  async resolve(choice: 'mine' | 'theirs' | 'newest' | 'both', think?: () => Promise<void>): Promise<number> {
    const { client } = this.#device
    const open = await client.conflicts.list()
    await think?.()
    if (client !== this.#device.client) return open.length
    for (const conflict of open) {
      const losing = choice === 'both' ? [] : choice === 'mine' ? [conflict.theirs] : choice === 'theirs' ? [conflict.mine] : [conflict.mine, conflict.theirs]
      this.#book.discard(JSON.stringify(losing))
      if (losing.includes(null)) this.#book.discardDeletions(conflict)
      await client.conflicts.resolve(conflict, choice)
    }
    return open.length
  }

  async #write(place: Pick<BookedEdit, 'account' | 'what' | 'collection' | 'id'>, seen: unknown, write: (word: string) => Promise<void>): Promise<void> {
    const edit = this.#ask(place, seen)
    await this.#settle([edit], write(edit.token))
  }

  async #writeTogether(account: Account, id: string): Promise<void> {
    const { client } = this.#device
    const [book, form] = [(await client.books.get(id))?.data, (await client.forms.get(id))?.data]
    const edits = [this.#ask({ account, what: 'together', collection: 'books', id }, book), this.#ask({ account, what: 'together', collection: 'forms', id }, form)]
    const [name = '', text = ''] = edits.map(({ token }) => token)
    await this.#settle(
      edits,
      client.transaction(async ({ books, forms }) => {
        await books.put(id, { name })
        await forms.put(id, { text })
      }),
    )
  }

  #ask(place: Pick<BookedEdit, 'account' | 'what' | 'collection' | 'id'>, seen: unknown): BookedEdit {
    const edit: BookedEdit = { ...place, token: this.#book.word(place.account), device: this.#device.name, replaces: wordsIn(JSON.stringify(seen ?? null)), state: 'asked' }
    this.#book.edits.push(edit)
    return edit
  }

  async #settle(edits: readonly BookedEdit[], written: Promise<void>): Promise<void> {
    const state = await written.then(
      () => 'kept' as const,
      () => 'refused' as const,
    )
    for (const edit of edits) edit.state = state
  }

  async #count(account: Account): Promise<void> {
    const { client } = this.#device
    const tally = await client.tallies.get(TALLY)
    if (tally === undefined) return
    const counted = this.#counted[account]
    // Counted as lost until the device says that it has it.
    counted.lost += 1
    await client.tallies.patch(TALLY, { count: tally.data.count + 1 }).then(
      () => {
        counted.kept += 1
      },
      () => undefined,
    )
    counted.lost -= 1
  }
}
