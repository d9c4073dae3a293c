import type { HttpContext, HttpServer } from 'holdfast/server'
import { readSettings } from '../settings.ts'
import { registerAliasRoutes } from './alias-routes.ts'
import { answerErrors } from './answer-errors.ts'
import { checkAccess } from './check-access.ts'
import { registerFeedRoutes } from './feed-routes.ts'
import { registerHistoryRoutes } from './history-routes.ts'
import { createJournalContext } from './journal-context.ts'
import { registerLinkRoutes } from './link-routes.ts'
import { registerMediaRoutes } from './media-routes.ts'
import { registerPageRoute } from './page-route.ts'
import { registerStatusRoutes } from './status-routes.ts'
import { registerWriteRoutes } from './write-routes.ts'

/** Gives the scope the journal's dialect: one page for people, and behind a credential everything that clients need. */
export async function registerRoutes(server: HttpServer, context: HttpContext): Promise<void> {
  const settings = readSettings(context.settings.environment)
  const journal = createJournalContext(context, settings)
  answerErrors(server, context, settings)
  registerPageRoute(server)
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.bodyLimit = settings.bodyBytesMax
    })
    checkAccess(scope, context, settings)
    registerFeedRoutes(scope, journal)
    registerWriteRoutes(scope, journal)
    registerLinkRoutes(scope, journal)
    registerHistoryRoutes(scope, journal)
    registerMediaRoutes(scope, journal)
    registerStatusRoutes(scope, journal)
    registerAliasRoutes(scope, journal)
  })
}
