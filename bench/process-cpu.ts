import { readdir, readFile } from 'node:fs/promises'

/** Ticks of the kernel's clock in one second: 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100

interface ProcessStat {
  readonly parent: number
  readonly command: string
  /** CPU of its own, and of children that have ended, in milliseconds. */
  readonly ownMs: number
  readonly endedMs: number
}

/** CPU in milliseconds that a program started by this process has used with its own children so far; `NaN` where there is no /proc. */
export async function cpuOfChild(command: string): Promise<number> {
  const all = await readProcesses()
  const [pid] = [...all].find(([, stat]) => stat.parent === process.pid && stat.command === command) ?? []
  if (pid === undefined) return Number.NaN
  const main = all.get(pid)
  const children = [...all.values()].filter(({ parent }) => parent === pid)
  return (main?.ownMs ?? 0) + (main?.endedMs ?? 0) + children.reduce((sum, { ownMs }) => sum + ownMs, 0)
}

async function readProcesses(): Promise<ReadonlyMap<number, ProcessStat>> {
  const names = await readdir('/proc').catch(() => [])
  const all = new Map<number, ProcessStat>()
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue
    // A process may end while it is looked at.
    const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined)
    const [, command, rest] = /^\d+ \((.*)\) (.*)$/s.exec(text ?? '') ?? []
    if (command === undefined || rest === undefined) continue
    const fields = rest.split(' ').map(Number)
    const ms = (first: number, second: number) => (((fields[first] ?? 0) + (fields[second] ?? 0)) * 1_000) / TICKS_PER_S
    all.set(Number(name), { parent: fields[1] ?? 0, command, ownMs: ms(11, 12), endedMs: ms(13, 14) })
  }
  return all
}
