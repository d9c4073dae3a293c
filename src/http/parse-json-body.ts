import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import { exceededBound } from '../lib/json-bounds.ts'
import { limits } from '../protocol/limits.ts'
import { Problem } from '../protocol/problem.ts'
import type { HttpServer } from './http-context.ts'

/** Makes `application/json` the only body the scope reads: UTF-8, within the limits of depth and values, no `__proto__`. An empty body is no body. */
export function acceptJsonBodies(server: HttpServer): void {
  const parse = server.getDefaultJsonParser('error', 'error')
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer, done) => {
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') return done(new Problem('media_type.unsupported', { detail: 'Send the body without Content-Encoding.' }))
    if (body.length === 0) return done(null, undefined)
    if (!isUtf8(body)) return done(new Problem('request.invalid', { detail: 'The body is not UTF-8.' }))
    const text = body.toString('utf8')
    const exceeded = exceededBound(text, { depthMax: limits.JSON_DEPTH_MAX, valuesMax: limits.JSON_VALUES_MAX })
    if (exceeded === 'depth') return done(new Problem('request.invalid', { detail: `The body is nested deeper than ${limits.JSON_DEPTH_MAX} levels.` }))
    if (exceeded === 'values') return done(new Problem('body.too_large', { detail: `The body has more than ${limits.JSON_VALUES_MAX} values.` }))
    // The parser answers through `done`, also where its type names a promise.
    return void parse(request, text, done)
  })
}
