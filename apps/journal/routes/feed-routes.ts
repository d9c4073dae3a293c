import type { HttpServer } from 'holdfast/server'
import { collectionNames, type JournalContext } from './journal-context.ts'
import { readFeed } from './read-feed.ts'
import { about } from './write-routes.ts'

/** What is new in each collection since a version. */
export function registerFeedRoutes(server: HttpServer, journal: JournalContext): void {
  for (const name of collectionNames) {
    server.get(`/sync/${name}/changes`, about(`What is new in ${name}`), async (request, reply) => reply.send(await readFeed(journal, request, name)))
  }
}
