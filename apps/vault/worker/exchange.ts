import type { Dispatcher } from 'undici'
import type { Exchange, ExchangeAnswer } from '../providers/openai-provider.ts'

/**
 * Makes the one HTTP request of an attempt: no redirect is followed, nothing is tried twice, no connection is kept. The signal alone bounds the time,
 * as a model on a small machine may think for minutes.
 */
export function createExchange(): Exchange {
  let agent: Promise<Dispatcher> | undefined
  return async ({ url, headers, body, bytesMax, signal }) => {
    agent ??= makeAgent()
    const { origin, pathname, search } = new URL(url)
    const answer = await (await agent).request({ origin, path: `${pathname}${search}`, method: 'POST', headers, body, signal })
    return read(answer, bytesMax)
  }
}

/** The client's code is large, and most servers never need it: it is loaded with the first request. */
async function makeAgent(): Promise<Dispatcher> {
  const { Agent } = await import('undici')
  return new Agent({ pipelining: 0, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 0 } })
}

async function read({ body, headers, statusCode: status }: Dispatcher.ResponseData, bytesMax: number): Promise<ExchangeAnswer> {
  if (status !== 200) {
    // Whoever waits for the end of an error may wait for ever. Ending the connection is an error of the stream, which is nobody's.
    body.on('error', () => {}).destroy()
    const retryAfter = headers['retry-after']
    return { kind: 'refusal', status, retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter }
  }
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop ends the connection.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) return { kind: 'tooLarge' }
    chunks.push(chunk)
  }
  return { kind: 'answer', text: Buffer.concat(chunks).toString('utf8') }
}
