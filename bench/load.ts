import { Pool } from 'undici'

/** One request, ready to be sent: text is made before the clock runs. */
export interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface LoadResult {
  readonly ms: number
  readonly latenciesMs: readonly number[]
  /** Bytes of all answers. */
  readonly bytes: number
}

/** Sends the calls over `devices` connections, each with one request under way. Throws at the first answer that is not 2xx. */
export async function sendCalls(url: string, calls: readonly Call[], devices: number): Promise<LoadResult> {
  await using pool = openPool(url, devices)
  const latenciesMs: number[] = []
  let bytes = 0
  let next = 0
  const device = async () => {
    for (let call = calls[next++]; call !== undefined; call = calls[next++]) {
      const started = performance.now()
      bytes += (await send(pool.pool, call)).byteLength
      latenciesMs.push(performance.now() - started)
    }
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: devices }, device))
  return { ms: performance.now() - started, latenciesMs, bytes }
}

/** Sends one call and gives the answer's bytes. */
export async function send(pool: Pool, { method, path, headers, body }: Call): Promise<ArrayBuffer> {
  const answer = await pool.request({ method, path, headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body }) })
  if (answer.statusCode >= 300) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${(await answer.body.text()).slice(0, 500)}`)
  return answer.body.arrayBuffer()
}

export function openPool(url: string, connections: number): AsyncDisposable & { readonly pool: Pool } {
  const pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
  return { pool, [Symbol.asyncDispose]: () => pool.close() }
}
