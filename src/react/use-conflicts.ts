import type { Conflicts } from '../client/choices.ts'
import type { ConflictRow } from '../client/model.ts'
import { sourceKey } from './source-key.ts'
import { useLive, type Live } from './use-live.ts'

/** The conflicts that wait for a choice, and again whenever they change. */
export function useConflicts(client: { readonly conflicts: Conflicts }): Live<ConflictRow[]> {
  return useLive(sourceKey(client.conflicts), (listener, onError) => client.conflicts.watch(listener, onError))
}
