import { useSyncExternalStore } from 'react'
import type { Observable } from '../client/live/observable.ts'
import type { Status } from '../client/status.ts'

/** The sync of this device as of now; renders again whenever it changes. */
export function useSyncStatus(client: { readonly status: Observable<Status> }): Status {
  const { status } = client
  const get = () => status.get()
  return useSyncExternalStore((listener) => status.watch(listener), get, get)
}
