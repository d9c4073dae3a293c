import { Cron } from 'croner'
import type { JobDefinitions, JobSchedule } from './define-job.ts'
import type { JobStore } from './job-store.ts'

interface Turns {
  readonly app: string
  readonly kind: string
  readonly schedule: JobSchedule
  /** When this process looks again; 0 until it has looked once. */
  lookAt: number
}

/** The schedules of a process's apps. Whose turn it is stands in the database; here is only when to look. */
export class Schedules {
  readonly #turns: readonly Turns[]

  constructor(jobs: ReadonlyMap<string, JobDefinitions>) {
    this.#turns = [...jobs].flatMap(([app, definitions]) => Object.entries(definitions).flatMap(([kind, { schedule }]) => (schedule === undefined ? [] : [{ app, kind, schedule, lookAt: 0 }])))
    // A pattern or time zone that cannot be read stops the start, not the first turn.
    for (const { schedule } of this.#turns) nextTurn(schedule, 0)
  }

  /** Fires what is due. */
  async runOnce(store: JobStore, now: number): Promise<void> {
    for (const turns of this.#turns) {
      if (turns.lookAt > now) continue
      const { app, kind, schedule } = turns
      await store.fire({ app, kind, schedule: `${schedule.cron} ${schedule.timezone ?? 'UTC'}`, payload: schedule.payload, now, next: (after) => nextTurn(schedule, after) })
      turns.lookAt = nextTurn(schedule, now) ?? Number.POSITIVE_INFINITY
    }
  }

  /** When to look again; undefined when nothing is scheduled. */
  get nextAt(): number | undefined {
    const times = this.#turns.map(({ lookAt }) => lookAt)
    return times.length === 0 ? undefined : Math.min(...times)
  }
}

function nextTurn({ cron, timezone = 'UTC' }: JobSchedule, after: number): number | undefined {
  return new Cron(cron, { timezone, paused: true }).nextRun(new Date(after))?.getTime()
}
