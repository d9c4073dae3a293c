import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections (Linux from 32768 on, others from 49152). */
const PORTS = { from: 10_240, below: 32_768 } as const
const TRIES_MAX = 100

/**
 * A port of this machine on which nobody listens. A server that is stopped and started again finds it free: no outgoing connection is
 * ever given it, and none that asks again and again while the server is down ends up connected to itself.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = randomInt(PORTS.from, PORTS.below)
    if (await isFree(port)) return port
  }
  throw new Error(`No free port from ${PORTS.from} to ${PORTS.below - 1} in ${TRIES_MAX} tries.`)
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer()
  try {
    probe.listen(port, '127.0.0.1')
    await once(probe, 'listening')
  } catch {
    return false
  }
  probe.close()
  await once(probe, 'close')
  return true
}
