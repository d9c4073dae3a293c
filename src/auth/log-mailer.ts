import type { Mailer } from './mailer.ts'

/** Writes mails to the log instead of sending them. For development: whoever reads the log can use the links. */
export function createLogMailer(log: (line: string) => void): Mailer {
  return {
    send: async ({ to, subject, text }) => log(`Mail to ${to}: ${subject}\n${text}`),
  }
}
