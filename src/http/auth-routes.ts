import type { Accounts } from '../auth/accounts.ts'
import { wireUser } from '../auth/wire-user.ts'
import {
  loginRequestSchema,
  meSchema,
  oneTimeLinkSchema,
  passwordRequestSchema,
  refreshRequestSchema,
  registerRequestSchema,
  resetRequestSchema,
  resetSchema,
  setupRequestSchema,
  signedInSchema,
  tokensSchema,
} from '../protocol/accounts.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import { requireAdmin, requireUser } from './require-user.ts'
import { needsUser, noContent, refusals } from './route-schema.ts'

const tags = ['accounts']

/** `/api/v1/auth/*`: accounts, tokens, passwords, invitations. */
export function registerAuthRoutes(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  registerSignIn(server, accounts)
  registerSession(server, context, accounts)
  registerPasswords(server, context, accounts)
  registerInvites(server, context, accounts)
}

function registerSignIn(server: HttpServer, accounts: Accounts): void {
  server.post(
    '/api/v1/auth/register',
    { schema: { operationId: 'register', tags, summary: 'Make an account and sign in', body: registerRequestSchema, response: { 201: signedInSchema, ...refusals } } },
    async (request, reply) => reply.code(201).send(await accounts.register(request.body)),
  )
  server.post(
    '/api/v1/auth/setup',
    { schema: { operationId: 'setUp', tags, summary: 'Make the first admin with the link that the server printed', body: setupRequestSchema, response: { 201: signedInSchema, ...refusals } } },
    async (request, reply) => reply.code(201).send(await accounts.setUp(request.body)),
  )
  server.post(
    '/api/v1/auth/login',
    { schema: { operationId: 'login', tags, summary: 'Sign in on a device', body: loginRequestSchema, response: { 200: signedInSchema, ...refusals } } },
    async (request) => accounts.login(request.body),
  )
  server.post(
    '/api/v1/auth/refresh',
    {
      schema: {
        operationId: 'refresh',
        tags,
        summary: 'Exchange a refresh token for the next one and an access token',
        description: 'A refresh token works once. The same request within 30 seconds, before the new token was used, gets the same new token; any later use of the old one ends the session.',
        body: refreshRequestSchema,
        response: { 200: tokensSchema, ...refusals },
      },
    },
    async (request) => accounts.refresh(request.body.refreshToken),
  )
}

function registerSession(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  server.post(
    '/api/v1/auth/logout',
    { schema: { operationId: 'logout', tags, summary: 'End this session', security: needsUser, response: { 204: noContent, ...refusals } } },
    async (request, reply) => {
      const { userId, sessionId } = await requireUser(context, request)
      await accounts.logout({ userId, id: sessionId })
      return reply.code(204).send()
    },
  )
  server.get(
    '/api/v1/auth/me',
    { schema: { operationId: 'me', tags, summary: 'Who is signed in, on which device', security: needsUser, response: { 200: meSchema, ...refusals } } },
    async (request) => {
      const principal = await requireUser(context, request)
      return { user: wireUser(await accounts.findAccount(principal)), device: { id: principal.device }, session: { id: principal.sessionId } }
    },
  )
}

function registerPasswords(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  server.post(
    '/api/v1/auth/password',
    {
      schema: { operationId: 'changePassword', tags, summary: 'Change the password; other sessions end', security: needsUser, body: passwordRequestSchema, response: { 204: noContent, ...refusals } },
    },
    async (request, reply) => {
      await accounts.changePassword(await requireUser(context, request), request.body)
      return reply.code(204).send()
    },
  )
  server.post(
    '/api/v1/auth/reset-request',
    { schema: { operationId: 'requestReset', tags, summary: 'Send a reset link, if there is such an account', body: resetRequestSchema, response: { 202: noContent, ...refusals } } },
    async (request, reply) => {
      accounts.requestReset(request.body.email)
      return reply.code(202).send()
    },
  )
  server.post(
    '/api/v1/auth/reset',
    { schema: { operationId: 'resetPassword', tags, summary: 'Set a new password with a link from a mail; all sessions end', body: resetSchema, response: { 204: noContent, ...refusals } } },
    async (request, reply) => {
      await accounts.resetPassword(request.body.token, request.body.newPassword)
      return reply.code(204).send()
    },
  )
}

function registerInvites(server: HttpServer, context: HttpContext, accounts: Accounts): void {
  server.post(
    '/api/v1/auth/invites',
    { schema: { operationId: 'invite', tags, summary: 'Make an invitation that works once, as an admin', security: needsUser, response: { 201: oneTimeLinkSchema, ...refusals } } },
    async (request, reply) => {
      await requireAdmin(context, request)
      return reply.code(201).send(await accounts.invite())
    },
  )
}
