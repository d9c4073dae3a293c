import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a process used so far: CPU in milliseconds, resident memory in bytes. */
export interface Usage {
  readonly cpuMs: number
  readonly rss: number
}

/** A process under measurement. It is asked by messages and answers each with one. */
export interface Child extends AsyncDisposable {
  ask<Answer>(question: object): Promise<Answer>
  usage(): Promise<Usage>
}

/** Starts a module of this folder as a process of its own. */
export async function startChild(module: string, args: readonly string[], execArgv: readonly string[] = []): Promise<Child> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), [...args], {
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const ready = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => undefined)])
  if (ready === undefined) throw new Error(`${module} ended before it was ready.`)
  const ask = async <Answer>(question: object): Promise<Answer> => {
    const answered = once(child, 'message')
    child.send(question)
    const [answer] = (await answered) as [Answer]
    return answer
  }
  return {
    ask,
    usage: () => ask<Usage>({ kind: 'usage' }),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Answers the questions of the parent process, `usage` among them. `first` says that the child is ready. */
export function answerParent(first: object, answer: (question: { readonly kind: string }) => Promise<object>): void {
  process.on('message', (question: { readonly kind: string }) => {
    void (question.kind === 'usage' ? Promise.resolve(usageNow()) : answer(question)).then((reply) => process.send?.(reply))
  })
  process.once('SIGTERM', () => process.exit(0))
  // A parent that is gone asks no more.
  process.once('disconnect', () => process.exit(0))
  process.send?.(first)
}

function usageNow(): Usage {
  // There under `--expose-gc` alone: then memory is what is still in use.
  globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1_000, rss: process.memoryUsage.rss() }
}
