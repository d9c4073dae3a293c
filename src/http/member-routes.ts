import { z } from 'zod'
import type { Accounts } from '../auth/accounts.ts'
import { idSchema } from '../protocol/ids.ts'
import { Problem } from '../protocol/problem.ts'
import { memberRequestSchema, memberSchema, newSpaceRequestSchema, spaceSchema } from '../protocol/spaces.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { requireApp } from './require-app.ts'
import { requireAdmin, requireUser } from './require-user.ts'
import { needsUser, noContent, refusals } from './route-schema.ts'

const tags = ['spaces']
const spaceParams = z.object({ id: idSchema })
const memberParams = z.object({ id: idSchema, userId: idSchema })

/** `/api/v1/spaces`: spaces and who is a member of them. */
export function registerMemberRoutes(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  registerSpaces(server, context, accounts)
  registerMembers(server, context, accounts)
}

function registerSpaces(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  server.get(
    '/api/v1/spaces',
    {
      schema: { operationId: 'listSpaces', tags, summary: 'Your spaces in all apps, with your role', security: needsUser, response: { 200: z.object({ spaces: z.array(spaceSchema) }), ...refusals } },
    },
    async (request) => ({ spaces: await accounts.listSpaces(await requireUser(context, request)) }),
  )
  server.post(
    '/api/v1/spaces',
    {
      schema: {
        operationId: 'createSpace',
        tags,
        summary: 'Make a space of an organisation, as an admin; you own it',
        security: needsUser,
        body: newSpaceRequestSchema,
        response: { 201: spaceSchema, ...refusals },
      },
    },
    async (request, reply) => {
      const principal = await requireAdmin(context, request)
      const { name, spaces } = requireApp(context, request.body.app)
      if (spaces === 'personal') throw new Problem('request.invalid', { fields: [{ path: 'app', message: 'The spaces of this app are personal.' }] })
      return reply.code(201).send(await accounts.createSpace(principal, { app: name, name: request.body.name }))
    },
  )
}

function registerMembers(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  server.get(
    '/api/v1/spaces/:id/members',
    {
      schema: {
        operationId: 'listMembers',
        tags,
        summary: 'Members of a space you own',
        security: needsUser,
        params: spaceParams,
        response: { 200: z.object({ members: z.array(memberSchema) }), ...refusals },
      },
    },
    async (request) => ({ members: await accounts.listMembers(await requireUser(context, request), request.params.id) }),
  )
  server.put(
    '/api/v1/spaces/:id/members/:userId',
    {
      schema: {
        operationId: 'setMember',
        tags,
        summary: 'Give an account a role in a space you own',
        security: needsUser,
        params: memberParams,
        body: memberRequestSchema,
        response: { 200: memberSchema, ...refusals },
      },
    },
    async (request) => {
      const { id: spaceId, userId } = request.params
      return accounts.setMember(await requireUser(context, request), { spaceId, userId, requestId: request.id, role: request.body.role })
    },
  )
  server.delete(
    '/api/v1/spaces/:id/members/:userId',
    {
      schema: {
        operationId: 'removeMember',
        tags,
        summary: 'Remove an account from a space you own, or leave it',
        security: needsUser,
        params: memberParams,
        response: { 204: noContent, ...refusals },
      },
    },
    async (request, reply) => {
      const { id: spaceId, userId } = request.params
      await accounts.removeMember(await requireUser(context, request), { spaceId, userId, requestId: request.id })
      return reply.code(204).send()
    },
  )
}
