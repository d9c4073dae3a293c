import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { createSmtpMailer } from './smtp-mailer.ts'

interface Received {
  readonly from: string | undefined
  readonly to: readonly string[]
  readonly source: string
}

/** A real SMTP server that keeps what it takes. */
async function openMailServer() {
  const received: Received[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) => {
      text(stream).then((source) => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({ from: mailFrom === false ? undefined : mailFrom.address, to: rcptTo.map(({ address }) => address), source })
        done()
      }, done)
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return { url: `smtp://127.0.0.1:${port}`, received, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

test('AUTH-13 A mail arrives at the SMTP server with sender, one recipient, subject and text', async () => {
  await using mailServer = await openMailServer()
  const mailer = createSmtpMailer(mailServer.url, 'Holdfast <no-reply@holdfast.example>')
  await mailer.send({ to: 'ada@example.org', subject: 'Set a new password', text: 'https://holdfast.example/account/reset#token=abc\n' })
  const [mail] = mailServer.received
  assert.equal(mail?.from, 'no-reply@holdfast.example')
  assert.deepEqual(mail?.to, ['ada@example.org'])
  assert.match(mail?.source ?? '', /^Subject: Set a new password\r$/m)
  assert.match(mail?.source ?? '', /^https:\/\/holdfast\.example\/account\/reset#token=3?D?abc\r$/m)
})

test('AUTH-19 A mail that no server takes is an error of the mailer', async () => {
  const mailServer = await openMailServer()
  const mailer = createSmtpMailer(mailServer.url, 'no-reply@holdfast.example')
  await mailServer[Symbol.asyncDispose]()
  await assert.rejects(mailer.send({ to: 'ada@example.org', subject: 'Hello', text: 'Hello' }))
})
