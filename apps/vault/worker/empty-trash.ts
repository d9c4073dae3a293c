import { defineJob, JobFailure, type JobContext, type JobDefinition } from 'holdfast/server'
import { z } from 'zod'
import { intentContext } from '../rules/item-intent.ts'
import type { VaultSettings } from '../settings.ts'

/** Items in one commit: a space is locked for no longer than that takes. */
const BATCH_MAX = 100
const SPACES_MAX = 1_000
/** Items that are looked up at once. */
const FOUND_MAX = 1_000
const ATTEMPT_MS_MAX = 3_600_000

/** Once a day: what has been DISCARDED for long enough is deleted for good, with its article, in every space. */
export function emptyTrash({ trashMs }: Pick<VaultSettings, 'trashMs'>): JobDefinition {
  return defineJob(
    z.null(),
    async (_, context) => {
      if (trashMs === undefined) return { kind: 'empty' }
      const before = context.now() - trashMs
      let count = 0
      for (let spaces = await context.spaces(0, SPACES_MAX); spaces.length > 0; spaces = await context.spaces(spaces.at(-1) ?? 0, SPACES_MAX)) {
        for (const space of spaces) count += await emptySpace(context, space, before)
      }
      return { kind: count === 0 ? 'empty' : 'done' }
    },
    { lane: 'bulk', concurrency: 1, timeoutMs: ATTEMPT_MS_MAX, schedule: { cron: '20 3 * * *', payload: null } },
  )
}

/** Answers how many items were deleted. */
async function emptySpace(context: JobContext, space: number, before: number): Promise<number> {
  const { records, commit } = context.inSpace(space)
  let count = 0
  for (;;) {
    const found = await records.find('items', [{ field: 'status', equals: 'DISCARDED' }, { field: 'discardedAt', below: before }, { isDeleted: false }], FOUND_MAX)
    const ids = found.map(({ id }) => id)
    let deleted = 0
    for (let start = 0; start < ids.length; start += BATCH_MAX) {
      context.signal.throwIfAborted()
      deleted += await deleteItems(commit, ids.slice(start, start + BATCH_MAX), before)
    }
    count += deleted
    if (deleted === 0 || ids.length < FOUND_MAX) return count
  }
}

/** All together, or, where one was brought back in the meantime, each by itself. Answers how many went. */
async function deleteItems(commit: JobContext['commit'], ids: readonly string[], before: number): Promise<number> {
  const deletion = (id: string) => ({ collection: 'items', id, op: 'delete', context: intentContext({ by: 'trash', before }) }) as const
  try {
    await commit({ mutations: ids.map(deletion) })
    return ids.length
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error
    let deleted = 0
    if (ids.length > 1) for (const id of ids) deleted += await deleteItems(commit, [id], before)
    return deleted
  }
}
