/** Something that happened to a job, for the log. Never holds its payload. */
export interface JobEvent {
  /** Such as `jobs.dead`. */
  readonly action: string
  readonly level: 'info' | 'warn'
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
}
