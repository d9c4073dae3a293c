import type { Database, Transactor } from '../../src/storage/database.ts'

/** The process is gone: nothing more happens in it, and nobody hears from it. */
export class ServerCrash extends Error {
  override readonly name = 'ServerCrash'
}

/** Where in its work the server dies: before so many more steps of a transaction, or behind the next commit, before anybody hears of it. */
export type CrashPoint = { readonly kind: 'statement'; readonly left: number } | { readonly kind: 'committed' }

/** A database whose process can die at any await. What was committed stays; what was not is rolled back. */
export class CrashingDatabase implements Database {
  readonly #database: Database
  #point: CrashPoint | undefined
  #crashed = false

  constructor(database: Database) {
    this.#database = database
  }

  get dialect(): Database['dialect'] {
    return this.#database.dialect
  }

  get crashed(): boolean {
    return this.#crashed
  }

  crashAt(point: CrashPoint | undefined): void {
    this.#point = point
  }

  read: Database['read'] = (work, options) => {
    this.#step()
    return this.#database.read(work, options)
  }

  write: Database['write'] = async (work, options) => {
    this.#step()
    const value = await this.#database.write((tx) => work(this.#watched(tx)), options)
    if (this.#point?.kind === 'committed') this.#crashed = true
    if (this.#crashed) throw new ServerCrash('Behind the commit.')
    return value
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  #watched(tx: Transactor): Transactor {
    const before = <Parameters extends readonly unknown[], Result>(run: (...given: Parameters) => Result) => {
      return (...given: Parameters): Result => {
        this.#step()
        return run(...given)
      }
    }
    return {
      dialect: tx.dialect,
      query: tx.query,
      all: before(tx.all.bind(tx)) as Transactor['all'],
      run: before(tx.run.bind(tx)),
      send: before(tx.send.bind(tx)),
      insertMany: before(tx.insertMany.bind(tx)),
      beforeCommit: (work) => tx.beforeCommit(work),
      afterCommit: (callback) => tx.afterCommit(callback),
    }
  }

  #step(): void {
    if (this.#point?.kind === 'statement') {
      if (this.#point.left <= 0) this.#crashed = true
      else this.#point = { kind: 'statement', left: this.#point.left - 1 }
    }
    if (this.#crashed) throw new ServerCrash('Before a statement.')
  }
}
