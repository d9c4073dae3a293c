import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { IdentifiedNote, Note } from './note.ts'

interface Row {
  readonly id: string
  readonly version: number
  readonly title: string
  readonly body: string
  readonly done: number
  readonly rank: number
}

/** The same record in a table made by hand: what the database alone can do. WAL and FULL, like the server. */
export class RawTable {
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #get: StatementSync
  readonly #list: StatementSync
  readonly #scan: StatementSync
  #version: number

  constructor(path: string) {
    this.#database = new DatabaseSync(path)
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536')
    this.#database.exec(
      'CREATE TABLE IF NOT EXISTS notes (space INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, done INTEGER NOT NULL, rank INTEGER NOT NULL, PRIMARY KEY (space, id), UNIQUE (space, version))',
    )
    this.#insert = this.#database.prepare('INSERT INTO notes (space, id, version, title, body, done, rank) VALUES (1, ?, ?, ?, ?, ?, ?)')
    this.#get = this.#database.prepare('SELECT id, version, title, body, done, rank FROM notes WHERE space = 1 AND id = ?')
    this.#list = this.#database.prepare('SELECT id, version, title, body, done, rank FROM notes WHERE space = 1 AND id > ? ORDER BY id LIMIT ?')
    this.#scan = this.#database.prepare('SELECT id, version, title, body, done, rank FROM notes WHERE space = 1 AND version > ? ORDER BY version LIMIT ?')
    const last = this.#database.prepare('SELECT max(version) AS version FROM notes').get() as { version: number | null }
    this.#version = last.version ?? 0
  }

  /** One transaction, one flush. */
  insert(notes: readonly IdentifiedNote[]): number {
    this.#database.exec('BEGIN IMMEDIATE')
    for (const { id, title, body, done, rank } of notes) {
      this.#version += 1
      this.#insert.run(id, this.#version, title, body, done ? 1 : 0, rank)
    }
    this.#database.exec('COMMIT')
    return this.#version
  }

  get(id: string): (Note & { readonly id: string; readonly version: number }) | undefined {
    const row = this.#get.get(id) as Row | undefined
    return row === undefined ? undefined : noteOf(row)
  }

  list(after: string, limit: number) {
    return (this.#list.all(after, limit) as unknown as Row[]).map(noteOf)
  }

  scan(after: number, limit: number) {
    return (this.#scan.all(after, limit) as unknown as Row[]).map(noteOf)
  }

  close(): void {
    this.#database.close()
  }
}

function noteOf({ done, ...row }: Row) {
  return { ...row, done: done === 1 }
}
