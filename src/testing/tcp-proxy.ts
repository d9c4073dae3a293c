import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Looks at what a client sends, before it is passed on. */
export type Watch = (data: Buffer, cut: Cut) => void

export interface Cut {
  /** Breaks the connection; the server gets nothing of what is being looked at. */
  now(): void
  /** Passes this on, and breaks the connection when the server answers; its answer is lost, or replaced. */
  atAnswer(instead?: Buffer): void
  /** Passes this on, and nothing that the server says from then on: a network that swallows everything. */
  fallSilent(): void
}

/** Stands between a client and a server, and breaks connections where a test wants it. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  watch(watch: Watch | undefined): void
}

/** Starts a proxy before a port of this machine. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let watch: Watch | undefined
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        target.destroy()
      })
    }
    let answer: 'pass' | 'swallow' | { readonly instead: Buffer | undefined } = 'pass'
    client.on('data', (data) => {
      let passed = true
      watch?.(data, {
        now: () => {
          passed = false
          client.resetAndDestroy()
        },
        atAnswer: (instead) => {
          answer = { instead }
        },
        fallSilent: () => {
          answer = 'swallow'
        },
      })
      if (passed) target.write(data)
    })
    target.on('data', (data) => {
      if (answer === 'swallow') return
      if (answer === 'pass') client.write(data)
      else if (answer.instead === undefined) client.resetAndDestroy()
      else client.end(answer.instead)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    watch: (next) => {
      watch = next
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
