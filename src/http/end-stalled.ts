import type { Socket } from 'node:net'
import type { HttpServer } from './http-context.ts'

/** How long a connection may stand still while the server closes, in milliseconds: well within what a supervisor waits before it kills. */
const CLOSING_STILL_MS_MAX = 5_000

/** When the server closes, ends connections on which nothing moves any more: a client that has stopped reading would hold up the stop. */
export function endStalled(server: HttpServer): void {
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.addHook('preClose', async () => {
    for (const socket of sockets) socket.setTimeout(CLOSING_STILL_MS_MAX, () => socket.destroy())
  })
}
