import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOpenAiProvider } from '../providers/openai-provider.ts'
import type { EnrichInput } from '../providers/provider.ts'
import { createExchange } from './exchange.ts'
import { openLocalServer } from './local-servers.fixture.ts'

const input: EnrichInput = { text: 'text', article: undefined, language: 'en', knownTags: [] }
const never = new AbortController().signal
const CHUNK = Buffer.alloc(65_536, 'x')

/** Answers with the status and a body that has no end: either as fast as it is read, or one piece and then silence. */
async function openEndless({ status, headers = {}, body }: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: 'flood' | 'silence' }) {
  const dropped = Promise.withResolvers<void>()
  const server = await openLocalServer((request, response) => {
    request.resume()
    response.on('close', () => dropped.resolve())
    response.writeHead(status, headers)
    const flood = () => {
      while (response.write(CHUNK));
    }
    if (body === 'silence') return void response.write('{')
    response.on('drain', flood)
    return flood()
  })
  return { provider: createOpenAiProvider({ url: `${server.url}/v1`, key: undefined, model: 'tiny', format: 'json_schema', exchange: createExchange() }), dropped: dropped.promise, server }
}

test('VLT-43 VLT-44 What is not 200 is told by its status alone: its body may have no end, and the connection is dropped', async () => {
  for (const body of ['flood', 'silence'] as const) {
    for (const [status, mayRetry, seconds] of [
      [500, true, 7],
      [429, true, 7],
      [401, false, undefined],
      [302, false, undefined],
      [206, false, undefined],
    ] as const) {
      const { provider, dropped, server } = await openEndless({ status, headers: { 'retry-after': '7' }, body })
      await using _server = server
      await assert.rejects(provider.enrich(input, never), {
        code: 'LLM_API_ERROR',
        message: `The provider answered with status ${status}.`,
        mayRetry,
        retryAfter: seconds === undefined ? undefined : { kind: 'delay', ms: seconds * 1_000 },
      })
      await dropped
    }
  }
})

test('VLT-43 An answer without an end is cut off behind 1 MiB, and the connection is dropped', async () => {
  const { provider, dropped, server } = await openEndless({ status: 200, body: 'flood' })
  await using _server = server
  await assert.rejects(provider.enrich(input, never), { code: 'LLM_API_ERROR', message: 'The answer of the provider is larger than 1 MiB.' })
  await dropped
})
