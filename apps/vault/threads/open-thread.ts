import { Worker } from 'node:worker_threads'

/** A worker thread that answers one question at a time. It starts with the first question and ends when nobody has asked for a while. */
export interface Thread<Question, Answer> {
  /** Rejects with the signal's reason when it is aborted, and with `ThreadFailure` when the thread breaks or takes too long: such a question ends with its thread. */
  ask(question: Question, signal: AbortSignal): Promise<Answer>
  close(): Promise<void>
}

/** The thread could not answer: it threw, took too long, or had no memory left. What it said is not told, as it may quote the question. */
export class ThreadFailure extends Error {
  override readonly name = 'ThreadFailure'
}

/** A thread holds its code and models in memory: it goes after this time without a question, in milliseconds. */
const IDLE_MS = 60_000
/** Megabytes of a thread's heap: a text that needs more ends its thread, and not the process. */
const HEAP_MB_MAX = 512

interface Waiting<Question, Answer> {
  readonly question: Question
  readonly signal: AbortSignal
  readonly answer: PromiseWithResolvers<Answer>
}

/** `url` names a module that answers every message with one message. `answerMs` is the longest that one answer may take, in milliseconds; time in the queue does not count. */
export function openThread<Question, Answer>(url: URL, { answerMs }: { readonly answerMs: number }): Thread<Question, Answer> {
  const waiting: Waiting<Question, Answer>[] = []
  let worker: Worker | undefined
  let asked: Waiting<Question, Answer> | undefined
  let idle: NodeJS.Timeout | undefined
  let limit: NodeJS.Timeout | undefined

  const start = (): Worker => {
    const started = new Worker(url, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX } })
    const isCurrent = () => worker === started
    started.on('message', (answer: Answer) => isCurrent() && settle(({ answer: { resolve } }) => resolve(answer)))
    const broke = () => {
      if (isCurrent()) fail()
    }
    started.on('error', broke)
    started.on('exit', broke)
    return started
  }
  const stop = async () => {
    const stopped = worker
    worker = undefined
    await stopped?.terminate()
  }
  const fail = () => {
    void stop()
    settle(({ answer: { reject } }) => reject(new ThreadFailure('The text could not be read.')))
  }
  const settle = (act: (question: Waiting<Question, Answer>) => void) => {
    const question = asked
    asked = undefined
    clearTimeout(limit)
    if (question !== undefined) act(question)
    askNext()
  }
  const rest = () => {
    worker?.unref()
    idle = setTimeout(() => void stop(), IDLE_MS)
    idle.unref()
  }
  const askNext = () => {
    if (asked !== undefined) return
    clearTimeout(idle)
    asked = waiting.shift()
    if (asked === undefined) return rest()
    worker ??= start()
    worker.ref()
    limit = setTimeout(fail, answerMs)
    worker.postMessage(asked.question)
  }
  return {
    ask: async (question, signal) => {
      signal.throwIfAborted()
      const entry = { question, signal, answer: Promise.withResolvers<Answer>() }
      waiting.push(entry)
      const abort = () => {
        const place = waiting.indexOf(entry)
        if (place !== -1) waiting.splice(place, 1)
        entry.answer.reject(signal.reason)
        if (asked !== entry) return
        void stop()
        settle(() => {})
      }
      signal.addEventListener('abort', abort, { once: true })
      askNext()
      try {
        return await entry.answer.promise
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    close: async () => {
      clearTimeout(idle)
      await stop()
    },
  }
}
