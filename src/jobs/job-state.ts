/**
 * `later` waits for its time, `ready` for a free place, `running` is leased to a worker. The others are ends:
 * `done`, `empty` (there was nothing to do), `refused` (whoever was asked would not), `dead` (attempts used up, or it can never succeed),
 * `cancelled`, and `skipped` (a person decided to go on without).
 */
export type JobState = 'later' | 'ready' | 'running' | JobEnd
export type JobEnd = JobSuccess | 'dead' | 'cancelled' | 'skipped'
/** Ends that a job reaches by itself without a failure. */
export type JobSuccess = 'done' | 'empty' | 'refused'

/** Why a job is where it is. */
export interface JobReason {
  /** Short and stable, such as `timeout`. */
  readonly code: string
  /** One sentence for people; holds no secret. */
  readonly message: string
}
