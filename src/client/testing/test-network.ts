import type { Connectivity, Transport, TransportRequest, TransportResponse } from '../ports.ts'

/** What a test does to one request: lets it pass, answers it itself, or breaks it before or after the server has seen it. */
export type Fault =
  | { readonly kind: 'pass' }
  | { readonly kind: 'unreachable' }
  /** The server does what it is asked; nobody hears of it. */
  | { readonly kind: 'lose-answer' }
  | { readonly kind: 'answer'; readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  /** The answer's body ends after so many bytes, as by a broken connection. */
  | { readonly kind: 'cut'; readonly bytes: number }

/** A network that a test breaks. It notes every request that reaches it. */
export class TestNetwork implements Connectivity {
  readonly #carry: Transport
  readonly #listeners = new Set<() => void>()
  readonly requests: TransportRequest[] = []
  #online = true
  /** Decides about each request. */
  fault: (request: TransportRequest) => Fault = () => ({ kind: 'pass' })
  /** Runs before an answer is handed on: what a person does while a request is under way. */
  during: ((request: TransportRequest) => Promise<void>) | undefined

  constructor(carry: Transport) {
    this.#carry = carry
  }

  online(): boolean {
    return this.#online
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  setOnline(online: boolean): void {
    this.#online = online
    for (const listener of this.#listeners) listener()
  }

  /** Paths of the requests so far, without queries. */
  get paths(): string[] {
    return this.requests.map(({ method, url }) => `${method} ${new URL(url).pathname.replace(/^\/api\/v1/, '')}`)
  }

  readonly transport: Transport = async (request) => {
    if (!request.url.includes('/events')) this.requests.push(request)
    const fault = this.fault(request)
    switch (fault.kind) {
      case 'unreachable':
        throw new TypeError('fetch failed')
      case 'answer':
        return madeAnswer(fault)
      case 'lose-answer':
        await drain(await this.#carry(request))
        throw new TypeError('terminated')
      case 'cut':
        return cut(await this.#carry(request), fault.bytes)
      case 'pass': {
        const answer = await this.#carry(request)
        await this.during?.(request)
        return answer
      }
    }
  }
}

function madeAnswer({ status, body = '', headers = {} }: Extract<Fault, { kind: 'answer' }>): TransportResponse {
  return { status, header: (name) => headers[name] ?? null, body: one(new TextEncoder().encode(body)) }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function drain({ body }: TransportResponse): Promise<void> {
  for await (const _piece of body);
}

function cut(answer: TransportResponse, bytes: number): TransportResponse {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let left = bytes
    for await (const piece of answer.body) {
      if (piece.length >= left) {
        yield piece.subarray(0, left)
        throw new TypeError('terminated')
      }
      left -= piece.length
      yield piece
    }
  }
  return { status: answer.status, header: (name) => answer.header(name), body: pieces() }
}
