import type { Clock } from '../ports.ts'

/** A clock that a test moves. Timers run when it passes them, in order. */
export class TestClock implements Clock {
  #now: number
  /** How far the clock was put forward or back; timers know nothing of that. */
  #steppedMs = 0
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>()

  constructor(startMs: number) {
    this.#now = startMs
  }

  now(): number {
    return this.#now + this.#steppedMs
  }

  /** Puts the clock forward, or back, while no time passes. */
  step(ms: number): void {
    this.#steppedMs += ms
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Waits of timers that are set, in milliseconds from now, shortest first. */
  get waits(): number[] {
    return [...this.#timers].map(({ at }) => at - this.#now).toSorted((one, other) => one - other)
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).toSorted((one, other) => one.at - other.at)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
    this.#now = until
  }
}
