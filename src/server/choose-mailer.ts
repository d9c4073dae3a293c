import { createLogMailer } from '../auth/log-mailer.ts'
import type { Mailer } from '../auth/mailer.ts'
import { isLoopback, type Settings } from './config.ts'

/**
 * Mails go through the configured mail server. Without one they are shown on the terminal as long as the server is this machine's
 * own; elsewhere they fail, which the log tells.
 */
export async function chooseMailer(settings: Pick<Settings, 'smtpUrl' | 'smtpFrom' | 'publicUrl' | 'host'>, show: (text: string) => void): Promise<Mailer> {
  const { smtpUrl, smtpFrom, publicUrl, host } = settings
  if (smtpUrl !== undefined) {
    const { createSmtpMailer } = await import('../auth/smtp-mailer.ts')
    return createSmtpMailer(smtpUrl, smtpFrom ?? `Holdfast <no-reply@${publicUrl === undefined ? 'localhost' : new URL(publicUrl).hostname}>`)
  }
  if (isLoopback(host) && publicUrl === undefined) return createLogMailer(show)
  return { send: () => Promise.reject(new Error('There is no mail server: set HOLDFAST_SMTP_URL.')) }
}
