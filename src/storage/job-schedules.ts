import type { ScheduleTurn } from '../jobs/job-store.ts'
import type { Transactor } from './database.ts'
import { enqueueJobs } from './job-enqueue.ts'
import { ensureSpace } from './space-store.ts'

/** Name of the one space of an app that belongs to nobody: its scheduled work is there. */
const SERVER_SPACE = 'server'

/**
 * Takes the turn of a schedule if it is due, and adds its job; answers whether it did. A schedule that is new or was changed begins with its next turn,
 * and of turns that were missed while nobody worked one is made up for. The row's old time is part of the update, so each turn is taken once.
 */
export async function fireSchedule(tx: Transactor, turn: ScheduleTurn, nextId: () => string): Promise<boolean> {
  const { app, kind, schedule, payload, now } = turn
  const next = turn.next(now)
  if (next === undefined) return false
  const [known] = await tx.all<{ schedule: string; next_at: number }>('SELECT schedule, next_at FROM holdfast_schedules WHERE app = ? AND kind = ?', [app, kind])
  if (known?.schedule !== schedule) {
    await tx.run('INSERT INTO holdfast_schedules (app, kind, schedule, next_at) VALUES (?, ?, ?, ?) ON CONFLICT (app, kind) DO UPDATE SET schedule = excluded.schedule, next_at = excluded.next_at', [
      app,
      kind,
      schedule,
      next,
    ])
    return false
  }
  if (known.next_at > now) return false
  const taken = await tx.run('UPDATE holdfast_schedules SET next_at = ? WHERE app = ? AND kind = ? AND schedule = ? AND next_at = ?', [next, app, kind, schedule, known.next_at])
  if (taken === 0) return false
  const { space } = await ensureSpace(tx, { id: nextId(), app, kind: 'server', name: SERVER_SPACE, ownerId: null, now })
  // A turn that comes while the last one still runs is left out.
  await enqueueJobs(tx, { app, space, now, nextId }, [{ kind, payload, uniqueKey: 'schedule' }])
  return true
}
