import { unanswered, type RequestFailure } from './failure.ts'
import type { SyncDeps } from './sync-deps.ts'

/** The collections to read, as a request names them: all that the app has, of which the server leaves out what the account may not read. */
export function collectionsQuery({ partition }: Pick<SyncDeps, 'partition'>): { readonly collections: string; readonly readable: string } {
  return { collections: [...partition.collections.keys()].toSorted().join(','), readable: 'true' }
}

/** Something else answers, such as the sign-in page of a hotel. */
export function notHoldfast(): RequestFailure {
  return unanswered('answer.invalid', 'What answers at this address is not the server.')
}
