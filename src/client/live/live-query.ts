import * as clientLimits from '../client-limits.ts'
import type { ChangedRecord, LocalChange, Pace } from '../ports.ts'
import { tell } from './observable.ts'

export interface LiveQueryParts<Value> {
  readonly pace: Pace
  /** Reads the answer anew. */
  read(): Promise<Value>
  /** True when the change may have changed the answer. */
  touches(records: readonly ChangedRecord[] | 'all'): boolean
  same(before: Value, after: Value): boolean
  listen(listener: (change: LocalChange) => void): () => void
}

/**
 * Calls with the answer and again whenever it has changed. Reads once at a time; changes that come meanwhile make one more, after
 * a rest that is longer where the reading took long, so that writers are not held up by who watches. Returns how to stop.
 */
export function liveQuery<Value>(parts: LiveQueryParts<Value>, listener: (value: Value) => void, onError: (error: unknown) => void = () => undefined): () => void {
  const { pace } = parts
  let stopped = false
  let reading = false
  let stale = true
  let restUntil = 0
  let wake: () => void = () => undefined
  let last: { readonly value: Value } | undefined
  const run = async (): Promise<void> => {
    if (reading) return
    reading = true
    while (stale && !stopped) {
      const started = pace.elapsed()
      const restMs = restUntil - started
      if (restMs > 0) {
        wake = pace.after(restMs, () => {
          reading = false
          restUntil = 0
          void run()
        })
        return
      }
      stale = false
      try {
        const value = await parts.read()
        if (!stopped && (last === undefined || !parts.same(last.value, value))) {
          last = { value }
          tell(listener, value)
        }
      } catch (error) {
        if (!stopped) tell(onError, error)
      }
      const ended = pace.elapsed()
      const took = ended - started
      if (took > 0) restUntil = ended + Math.min(Math.max(took * clientLimits.WATCH_RESTS, clientLimits.WATCH_REST_MS_MIN), clientLimits.WATCH_REST_MS_MAX)
    }
    reading = false
  }
  const stop = parts.listen(({ records }) => {
    if (!parts.touches(records)) return
    stale = true
    void run()
  })
  void run()
  return () => {
    stopped = true
    wake()
    stop()
  }
}
