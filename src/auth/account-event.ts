/** Something that happened to an account, for the log. Never holds a secret. */
export interface AccountEvent {
  /** Such as `auth.sign_in` or `auth.refresh_reused`. */
  readonly action: string
  readonly level: 'info' | 'warn'
  readonly userId?: string
  readonly detail?: Readonly<Record<string, string | number | boolean | null>>
}
