/** A value that changes: read it, hear of changes, or iterate over them. */
export interface Observable<Value> {
  /** The value as of now. */
  get(): Value
  /** Calls with every new value. Returns how to stop. */
  watch(listener: (value: Value) => void): () => void
  /** The value and then every newer one; a slow reader skips to the newest. */
  [Symbol.asyncIterator](): AsyncIterator<Value>
}

/** Calls a listener of the app. What it throws is for its author to see and stops nothing else. */
export function tell<Value>(listener: (value: Value) => void, value: Value): void {
  try {
    listener(value)
  } catch (error) {
    console.error(error)
  }
}

/** An observable that its owner sets. */
export class Source<Value> implements Observable<Value> {
  readonly #listeners = new Set<(value: Value) => void>()
  #value: Value

  constructor(value: Value) {
    this.#value = value
  }

  get(): Value {
    return this.#value
  }

  set(value: Value): void {
    this.#value = value
    for (const listener of this.#listeners) tell(listener, value)
  }

  watch(listener: (value: Value) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  [Symbol.asyncIterator](): AsyncIterator<Value> {
    return newestOf((listener) => {
      listener(this.#value)
      return this.watch(listener)
    })
  }
}

/** Turns calls into an iterator over the newest value; the calls end with the iteration, and the iteration with an error. */
export function newestOf<Value>(start: (listener: (value: Value) => void, onError: (error: unknown) => void) => () => void): AsyncIterableIterator<Value> {
  let newest: { readonly value: Value } | undefined
  let failed: { readonly error: unknown } | undefined
  let wake: (() => void) | undefined
  let done = false
  let stop: (() => void) | undefined
  const finish = async (): Promise<IteratorResult<Value>> => {
    done = true
    stop?.()
    wake?.()
    return { done: true, value: undefined }
  }
  return {
    async next() {
      stop ??= start(
        (value) => {
          newest = { value }
          wake?.()
        },
        (error) => {
          failed = { error }
          wake?.()
        },
      )
      while (newest === undefined && failed === undefined && !done) await new Promise<void>((resolve) => (wake = resolve))
      if (done) return { done, value: undefined }
      if (newest === undefined) {
        await finish()
        throw failed?.error
      }
      const { value } = newest
      newest = undefined
      return { done: false, value }
    },
    return: finish,
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
