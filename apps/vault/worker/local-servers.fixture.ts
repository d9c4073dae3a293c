import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A real HTTP server of a test's own. */
export interface LocalServer extends AsyncDisposable {
  readonly url: string
  /** `host:port`, as `FETCH_ALLOW` has it. */
  readonly place: string
}

export async function openLocalServer(answer: RequestListener): Promise<LocalServer> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${place}`,
    place,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** What a provider is asked: the captured text is the last message. */
export interface Asked {
  readonly text: string
  readonly body: string
  readonly path: string
}

export type Reply = 'hang' | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }

export interface TestProvider extends LocalServer {
  readonly asked: readonly Asked[]
  /** Resolves when the provider has been asked so often. */
  untilAsked(count: number): Promise<void>
}

/** A server in the place of an AI provider; `reply` says what it answers to the nth question, from 1. */
export async function openTestProvider(reply: (nth: number, asked: Asked) => Reply | Promise<Reply>): Promise<TestProvider> {
  const asked: Asked[] = []
  const waiting: { readonly count: number; resolve(): void }[] = []
  const server = await openLocalServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    const answer = async () => {
      const body = Buffer.concat(chunks).toString('utf8')
      const { messages } = JSON.parse(body) as { readonly messages: readonly { readonly content: string }[] }
      const question = { text: messages.at(-1)?.content ?? '', body, path: request.url ?? '' }
      const nth = asked.push(question)
      for (const { count, resolve } of waiting) if (nth >= count) resolve()
      const said = await reply(nth, question)
      if (said !== 'hang') response.writeHead(said.status ?? 200, said.headers).end(said.body)
    }
    request.on('end', () => void answer())
  })
  return {
    ...server,
    asked,
    untilAsked: (count) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ count, resolve })
      if (asked.length >= count) resolve()
      return promise
    },
  }
}

/** An answer in the form that is asked for. */
export function labelled(fields: Readonly<Record<string, unknown>> = {}): Reply {
  const content = { title: 'A title', summary: 'A summary.', tags: ['River', 'ice'], sourceType: 'NOTE', ...fields }
  return { body: JSON.stringify({ choices: [{ message: { content: JSON.stringify(content) } }] }) }
}
