interface Happening {
  readonly at: number
  readonly order: number
  readonly run: () => void | Promise<void>
}

/** Time of a simulated world: it stands still while something runs and then jumps to what comes next. */
export class Timeline {
  #now: number
  #count = 0
  readonly #waiting = new Set<Happening>()

  constructor(startMs: number) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  /** Runs something later; among those due at once the first asked comes first. Returns how to call it off. */
  after(delayMs: number, run: () => void | Promise<void>): () => void {
    const happening = { at: this.#now + Math.max(0, delayMs), order: (this.#count += 1), run }
    this.#waiting.add(happening)
    return () => this.#waiting.delete(happening)
  }

  /** Runs everything that is due in the next while, each with all that follows from it at once. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    while (await this.#next(until));
    this.#now = until
  }

  /** Runs what comes next until something has come about. Throws when time runs out. */
  async passUntil(done: () => boolean, msMax: number, what: string): Promise<void> {
    const until = this.#now + msMax
    await settle()
    while (!done()) if (!(await this.#next(until))) throw new Error(`${what} does not end.`)
  }

  async #next(until: number): Promise<boolean> {
    let next: Happening | undefined
    for (const one of this.#waiting) if (one.at <= until && (next === undefined || one.at < next.at || (one.at === next.at && one.order < next.order))) next = one
    if (next === undefined) return false
    this.#waiting.delete(next)
    this.#now = Math.max(this.#now, next.at)
    await next.run()
    await settle()
    return true
  }
}

/** Resolves when every promise that is ready has run: the clients of a simulated world wait for nothing else. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
