import { randomUUID } from 'node:crypto'
import type { Actor } from '../app/rule.ts'
import { memberWriter } from './account-members.ts'
import type { Database } from './database.ts'
import { SPACE_RESTORED } from './restored-gap.ts'

export interface Restoration {
  /** Epoch milliseconds; no version of the lost time, which was never ahead of the clock by much, is given again. */
  readonly now: number
  readonly actor: Actor
}

/** Marks a database that was put back from a backup: a new epoch, and in every space an event at a version of the present. Answers how many spaces. */
export async function markRestored(database: Database, { now, actor }: Restoration): Promise<number> {
  return database.write(async (tx) => {
    await tx.run("UPDATE holdfast_meta SET value = ? WHERE key = 'epoch'", [randomUUID()])
    const spaces = await tx.all<{ space: number; id: string }>('SELECT space, id FROM holdfast_spaces ORDER BY space')
    const { appendEvent } = memberWriter(tx)
    for (const { space, id } of spaces) await appendEvent({ space, actor, requestId: '', action: SPACE_RESTORED, entity: 'spaces', entityId: id, detail: {}, now })
    return spaces.length
  })
}
