export interface Mail {
  readonly to: string
  readonly subject: string
  /** Plain text. */
  readonly text: string
}

/** The port to the mail server. */
export interface Mailer {
  /** Resolves when the mail server has taken the mail; rejects when it did not. */
  send(mail: Mail): Promise<void>
}
