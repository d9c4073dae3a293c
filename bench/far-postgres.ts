import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'

/** A PostgreSQL as one on another machine is seen: every byte arrives some milliseconds later, in both directions. */
export async function openFarPostgres(location: string, delayMs: number): Promise<AsyncDisposable & { readonly location: string }> {
  const near = new URL(location)
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from.setNoDelay(true))
    from.on('data', (bytes) => setTimeout(() => to.write(bytes), delayMs))
    from.on('end', () => setTimeout(() => to.end(), delayMs))
    from.on('error', () => to.destroy())
    from.on('close', () => sockets.delete(from))
  }
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const postgres = connect({ host: near.hostname, port: Number(near.port), allowHalfOpen: true })
    pass(client, postgres)
    pass(postgres, client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const far = new URL(location)
  far.hostname = '127.0.0.1'
  far.port = String((server.address() as AddressInfo).port)
  return {
    location: far.href,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
