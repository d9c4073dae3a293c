import * as clientLimits from '../client-limits.ts'
import type { Clock, Connectivity, Transport, TransportRequest, TransportResponse } from '../ports.ts'
import { failureOfAnswer, RequestFailure, unanswered } from './failure.ts'
import { notHoldfast } from './reading.ts'

/** What proves who asks. */
export interface Credentials {
  /** Headers of a request; with an owner only while that is who is signed in. Throws a `RequestFailure` of kind `sign-in` when there is nothing to prove it with. */
  headers(owner?: string | null): Promise<Readonly<Record<string, string>>>
  /** The server refused these headers. True when there are others to try. */
  renew(refused: Readonly<Record<string, string>>): Promise<boolean>
}

export interface RequestDeps {
  readonly url: string
  readonly clock: Clock
  readonly transport: Transport
  readonly connectivity: Connectivity
}

export interface Ask {
  readonly method: TransportRequest['method']
  /** From the server's root, with its query. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly accept?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Longest silence, in milliseconds. */
  readonly silenceMs?: number
  readonly signal?: AbortSignal
}

/** Makes requests: says who asks, renews that once when it is refused, and turns everything but 2xx into a `RequestFailure`. */
export class Requests {
  readonly #deps: RequestDeps

  constructor(deps: RequestDeps) {
    this.#deps = deps
  }

  /** The answer's JSON; undefined when it has none. */
  async json(credentials: Credentials | undefined, ask: Ask): Promise<unknown> {
    const answer = await this.open(credentials, ask)
    const text = await answer.text()
    return text === '' ? undefined : parsed(text)
  }

  /** The answer with its body still to be read. */
  async open(credentials: Credentials | undefined, ask: Ask): Promise<Answer> {
    if (!this.#deps.connectivity.online()) throw new RequestFailure({ kind: 'offline' }, { code: 'offline', message: 'The device is offline.' })
    const headers = (await credentials?.headers()) ?? {}
    const first = await this.#exchange(ask, headers)
    if (first.status !== 401 || credentials === undefined) return this.#checked(first)
    const refusal = await this.#failure(first)
    if (!(await credentials.renew(headers))) throw refusal
    return this.#checked(await this.#exchange(ask, await credentials.headers()))
  }

  async #checked(answer: Answer): Promise<Answer> {
    if (answer.status >= 200 && answer.status < 300) return answer
    throw await this.#failure(answer)
  }

  async #failure(answer: Answer): Promise<RequestFailure> {
    const body = await answer.text().catch(() => '')
    return failureOfAnswer({ status: answer.status, body, retryAfter: answer.header('retry-after'), now: this.#deps.clock.now() })
  }

  async #exchange(
    { method, path, body, accept = 'application/json', silenceMs = clientLimits.SILENCE_MS_MAX, signal, headers: more = {} }: Ask,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const watchdog = new Watchdog(this.#deps.clock, silenceMs, signal)
    try {
      const response = await this.#deps.transport({
        method,
        url: `${this.#deps.url}${path}`,
        headers: { accept, ...more, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        signal: watchdog.signal,
      })
      watchdog.feed()
      return new Answer(response, watchdog)
    } catch (error) {
      watchdog.end()
      throw brokenConnection(error, signal)
    }
  }
}

/** Ends a request that has been silent for too long. */
class Watchdog {
  readonly #clock: Clock
  readonly #silenceMs: number
  readonly #controller = new AbortController()
  readonly signal = this.#controller.signal
  readonly outer: AbortSignal | undefined
  #cancel: () => void = () => undefined

  constructor(clock: Clock, silenceMs: number, outer: AbortSignal | undefined) {
    this.#clock = clock
    this.#silenceMs = silenceMs
    this.outer = outer
    outer?.addEventListener('abort', this.#abort)
    if (outer?.aborted === true) this.#controller.abort()
    this.feed()
  }

  feed(): void {
    this.#cancel()
    this.#cancel = this.#clock.after(this.#silenceMs, this.#abort)
  }

  end(): void {
    this.#cancel()
    this.outer?.removeEventListener('abort', this.#abort)
  }

  readonly #abort = (): void => this.#controller.abort()
}

/** An answer whose body is read once, in one of two ways. */
export class Answer {
  readonly #response: TransportResponse
  readonly #watchdog: Watchdog

  constructor(response: TransportResponse, watchdog: Watchdog) {
    this.#response = response
    this.#watchdog = watchdog
  }

  get status(): number {
    return this.#response.status
  }

  header(name: string): string | null {
    return this.#response.header(name)
  }

  async text(): Promise<string> {
    let text = ''
    for await (const piece of this.pieces()) {
      text += piece
      if (text.length > clientLimits.ANSWER_BYTES_MAX) throw tooLarge()
    }
    return text
  }

  /** The body's lines, without their ends; the last one also when nothing ends it. */
  async *lines(): AsyncGenerator<string> {
    let rest = ''
    for await (const piece of this.pieces()) {
      const lines = (rest + piece).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > clientLimits.LINE_CHARS_MAX) throw tooLarge()
      yield* lines
    }
    if (rest !== '') yield rest
  }

  async *pieces(): AsyncGenerator<string> {
    const decoder = new TextDecoder()
    try {
      for await (const bytes of this.#response.body) {
        this.#watchdog.feed()
        yield decoder.decode(bytes, { stream: true })
      }
      yield decoder.decode()
    } catch (error) {
      throw error instanceof RequestFailure ? error : brokenConnection(error, this.#watchdog.outer)
    } finally {
      this.#watchdog.end()
    }
  }
}

function brokenConnection(cause: unknown, outer: AbortSignal | undefined): RequestFailure {
  if (outer?.aborted === true) return new RequestFailure({ kind: 'stopped' }, { code: 'stopped', message: 'The client was closed.', cause })
  return unanswered('unreachable', 'The server cannot be reached.', cause)
}

function tooLarge(): RequestFailure {
  return unanswered('answer.too_large', 'The server answered more than this client reads at once.')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notHoldfast()
  }
}
