import type { TransportRequest, TransportResponse } from '../../src/client/ports.ts'
import type { Random } from './random.ts'
import type { ServerAnswer, SimulatedServer } from './simulated-server.ts'
import type { Timeline } from './timeline.ts'

/** How bad the network is: how often, from 0 to 1, each thing happens to a request. */
export interface Weather {
  /** The request does not arrive. */
  readonly lost: number
  /** It arrives and is carried out; the answer does not come back. */
  readonly unheard: number
  /** It arrives once more, later, behind others. */
  readonly twice: number
  /** The answer ends in its middle. */
  readonly cut: number
  /** Something in between answers 429, 500, 502 or 503. */
  readonly refused: number
  /** Longest way in each direction, in milliseconds. */
  readonly delayMsMax: number
}

export const calm: Weather = { lost: 0, unheard: 0, twice: 0, cut: 0, refused: 0, delayMsMax: 20 }

/** Longest time after which a repeated request arrives again, in milliseconds. */
const REPEAT_MS_MAX = 90_000
/** A lost request is noticed after at most this, in milliseconds; some are not noticed at all and are given up by the client. */
const NOTICE_MS_MAX = 20_000
const WHOLE = -1

interface Waiting {
  readonly request: TransportRequest
  answer(answer: ServerAnswer | undefined): void
}

export interface NetworkParts {
  readonly timeline: Timeline
  readonly random: Random
  readonly server: SimulatedServer
  /** Called when the server has answered, or died over, what arrived. */
  arrived(requests: readonly TransportRequest[], answers: readonly (ServerAnswer | undefined)[]): void
}

/** The way between devices and server. What is on its way may be lost, late, doubled, overtaken or broken off. */
export class SimulatedNetwork {
  weather: Weather = calm
  readonly #parts: NetworkParts
  #arriving: Waiting[] = []

  constructor(parts: NetworkParts) {
    this.#parts = parts
  }

  /** Carries one request. `connected` tells whether whoever asks is there, and online, to hear the answer. */
  carry(request: TransportRequest, connected: () => boolean): Promise<TransportResponse> {
    const { timeline, random } = this.#parts
    const { lost, unheard, twice, cut, refused } = this.weather
    // The doorbell is told of elsewhere; here the clients read on their own.
    if (request.url.includes('/events')) return Promise.resolve(madeAnswer({ status: 404, headers: {}, body: '' }, WHOLE))
    return new Promise((resolve, reject) => {
      const fail = () => reject(new TypeError('fetch failed'))
      const failLater = () => {
        if (random.chance(0.8)) timeline.after(random.below(NOTICE_MS_MAX), fail)
      }
      request.signal.addEventListener('abort', fail)
      const [isLost, isUnheard, isTwice, isCut, isRefused] = [lost, unheard, twice, cut, refused].map((often) => random.chance(often))
      if (isLost === true) return failLater()
      if (isRefused === true) return void timeline.after(this.#delay(), () => resolve(madeAnswer(refusal(random), WHOLE)))
      if (isTwice === true && mayRepeat(request)) timeline.after(random.below(REPEAT_MS_MAX), () => this.#deliver({ request, answer: () => undefined }))
      timeline.after(this.#delay(), () =>
        this.#deliver({
          request,
          answer: (answer) => {
            if (isUnheard === true) return failLater()
            timeline.after(this.#delay(), () => {
              if (!connected() || answer === undefined) fail()
              else resolve(madeAnswer(answer, isCut === true ? random.below(answer.body.length + 1) : WHOLE))
            })
          },
        }),
      )
    })
  }

  /** Some requests wait a little for others, so that the server has several at once. */
  async #deliver(waiting: Waiting): Promise<void> {
    const { timeline, random } = this.#parts
    const isFirst = this.#arriving.length === 0
    this.#arriving.push(waiting)
    if (!isFirst) return
    if (random.chance(0.5)) timeline.after(random.below(200), () => this.#flush())
    else await this.#flush()
  }

  async #flush(): Promise<void> {
    const { server, arrived } = this.#parts
    const together = this.#arriving
    this.#arriving = []
    const requests = together.map(({ request }) => request)
    const answers = await server.handle(requests)
    if (server.crashed) await server.restart()
    arrived(requests, answers)
    for (const [index, { answer }] of together.entries()) answer(answers[index])
  }

  #delay(): number {
    return this.#parts.random.below(this.weather.delayMsMax)
  }
}

/** A sign-in that is sent twice ends the session, on purpose. */
function mayRepeat({ url }: TransportRequest): boolean {
  return !url.includes('/auth/')
}

function refusal(random: Random): ServerAnswer {
  const status = random.pick([429, 500, 502, 503])
  return { status, headers: status === 429 || status === 503 ? { 'retry-after': String(1 + random.below(20)) } : {}, body: '' }
}

function madeAnswer({ status, headers, body }: ServerAnswer, cutAt: number): TransportResponse {
  const bytes = new TextEncoder().encode(body)
  async function* pieces(): AsyncGenerator<Uint8Array> {
    const middle = Math.floor((cutAt === WHOLE ? bytes.length : cutAt) / 2)
    yield bytes.subarray(0, middle)
    yield bytes.subarray(middle, cutAt === WHOLE ? bytes.length : cutAt)
    if (cutAt !== WHOLE) throw new TypeError('terminated')
  }
  const header = (name: string): string | null => (headers[name] === undefined ? null : String(headers[name]))
  return { status, header, body: pieces() }
}
