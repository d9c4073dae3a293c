import type { FastifyRequest } from 'fastify'
import { emailKey } from '../lib/email-key.ts'
import { addressKey } from './address-key.ts'
import { credentialsOf } from './credentials-of.ts'
import type { HttpContext, HttpServer } from './http-context.ts'
import type { Limiter, LimitStore } from './limit-store.ts'
import type { RateLimits } from './rate-limits.ts'

export type Limiters = Readonly<Record<keyof RateLimits, Limiter>>

/** One limiter for each limit. */
export function openLimiters(store: LimitStore, limits: RateLimits): Limiters {
  return {
    principal: store.limiterOf('principal', limits.principal),
    address: store.limiterOf('address', limits.address),
    wrongCredential: store.limiterOf('wrongCredential', limits.wrongCredential),
    signInByAddress: store.limiterOf('signInByAddress', limits.signInByAddress),
    signInByAccount: store.limiterOf('signInByAccount', limits.signInByAccount),
  }
}

/** Limits every request of the server by who asks: user or key, else the address. Over the limit is 429 with `Retry-After`. */
export function limitRequests(server: HttpServer, context: HttpContext, limiters: Limiters): void {
  server.addHook('onRequest', async (request) => {
    const { bearer, apiKey } = credentialsOf(request)
    if (bearer === undefined && apiKey === undefined) return limiters.address.consume(addressKey(request.ip))
    const principal = await context.principalOf(request).catch(() => undefined)
    if (principal === undefined) return limiters.wrongCredential.consume(addressKey(request.ip))
    return limiters.principal.consume(`${principal.actor.type}:${principal.actor.id}`)
  })
}

/** Stricter limits of a scope whose POST routes take passwords, tokens and links: by address, and by the account that the body names. */
export function limitSignIn(server: HttpServer, limiters: Limiters): void {
  server.addHook('onRequest', async (request) => {
    if (request.method === 'POST') await limiters.signInByAddress.consume(addressKey(request.ip))
  })
  server.addHook('preValidation', async (request) => {
    const email = emailOf(request)
    if (email !== undefined) await limiters.signInByAccount.consume(email)
  })
}

/** Longest e-mail address there is (RFC 5321). */
const EMAIL_CHARS_MAX = 254

function emailOf({ body }: FastifyRequest): string | undefined {
  if (typeof body !== 'object' || body === null || !('email' in body) || typeof body.email !== 'string') return undefined
  return emailKey(body.email.slice(0, EMAIL_CHARS_MAX))
}
