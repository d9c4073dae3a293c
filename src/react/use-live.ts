import { useEffect, useRef, useState } from 'react'

/** What a hook shows of something that is read and watched. `loading` until it has been read once. */
export type Live<Value> = { readonly state: 'loading' } | { readonly state: 'ready'; readonly value: Value } | { readonly state: 'failed'; readonly error: unknown }

const loading = { state: 'loading' } as const

/** Watches something while the component is shown; `key` says what, so that another key begins anew. */
export function useLive<Value>(key: string, watch: (listener: (value: Value) => void, onError: (error: unknown) => void) => () => void): Live<Value> {
  const [seen, setSeen] = useState<{ readonly key: string; readonly live: Live<Value> }>({ key, live: loading })
  // The newest function is used, without beginning anew when a component makes another one at each render.
  const newest = useRef(watch)
  newest.current = watch
  useEffect(
    () =>
      newest.current(
        (value) => setSeen({ key, live: { state: 'ready', value } }),
        (error) => setSeen({ key, live: { state: 'failed', error } }),
      ),
    [key],
  )
  return seen.key === key ? seen.live : loading
}
