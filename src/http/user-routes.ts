import { z } from 'zod'
import type { Accounts } from '../auth/accounts.ts'
import { accountSchema } from '../protocol/accounts.ts'
import { idSchema } from '../protocol/ids.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { requireAdmin } from './require-user.ts'
import { needsUser, refusals } from './route-schema.ts'

const tags = ['users']

/** `/api/v1/users`: accounts, for admins. */
export function registerUserRoutes(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  server.get(
    '/api/v1/users',
    {
      schema: {
        operationId: 'listUsers',
        tags,
        summary: 'Accounts by id, at most 1,000 behind `after`',
        security: needsUser,
        querystring: z.strictObject({ after: idSchema.optional() }),
        response: { 200: z.object({ users: z.array(accountSchema) }), ...refusals },
      },
    },
    async (request) => {
      await requireAdmin(context, request)
      return { users: await accounts.listUsers(request.query.after) }
    },
  )
  server.patch(
    '/api/v1/users/:id',
    {
      schema: {
        operationId: 'setDisabled',
        tags,
        summary: 'Disable an account, which ends its sessions and rests its keys, or enable it',
        security: needsUser,
        params: z.object({ id: idSchema }),
        body: z.strictObject({ disabled: z.boolean() }),
        response: { 200: accountSchema, ...refusals },
      },
    },
    async (request) => accounts.setDisabled(await requireAdmin(context, request), request.params.id, request.body.disabled),
  )
}
