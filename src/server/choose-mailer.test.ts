import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseMailer } from './choose-mailer.ts'

const mail = { to: 'ada@example.org', subject: 'Set a new password', text: 'link' }
const none = { smtpUrl: undefined, smtpFrom: undefined, publicUrl: undefined, host: '127.0.0.1' }

test('SERVE-11 Without a mail server, mails are shown on the terminal of a server of this machine alone; elsewhere they fail', async () => {
  const shown: string[] = []
  const show = (text: string) => void shown.push(text)
  await (await chooseMailer(none, show)).send(mail)
  assert.equal(shown.length, 1)
  for (const reachable of [{ host: '0.0.0.0' }, { publicUrl: 'https://example.org' }]) {
    const mailer = await chooseMailer({ ...none, ...reachable }, show)
    await assert.rejects(mailer.send(mail), /HOLDFAST_SMTP_URL/)
  }
  assert.equal(shown.length, 1)
})
