import type { FastifyRequest } from 'fastify'
import { invalidField, VaultError } from './vault-error.ts'

export type Body = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The JSON object of a request that needs one. */
export function readBody(request: FastifyRequest): Body {
  if (isObject(request.body)) return request.body
  throw new VaultError('INVALID_REQUEST', { message: 'Send a JSON object.' })
}

/** The cursor of a query as it was sent; undefined when absent. `decodeCursor` says what is none. */
export function readCursor(request: FastifyRequest): unknown {
  return isObject(request.query) ? request.query['cursor'] : undefined
}

/** A query parameter; undefined when absent. Given twice, it says nothing clear. */
export function readParameter(request: FastifyRequest, name: string): string | undefined {
  const value = isObject(request.query) ? request.query[name] : undefined
  return value === undefined ? undefined : readText(name, value)
}

/** A query parameter that may be given several times. */
export function readParameters(request: FastifyRequest, name: string): string[] {
  const value = isObject(request.query) ? request.query[name] : undefined
  return [value ?? []].flat().map((one) => readText(name, one))
}

function readText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidField(name, 'Give it once.')
  if (!value.isWellFormed() || value.includes('\u0000')) throw invalidField(name, 'Text must be well-formed Unicode without U+0000.')
  return value
}

/** Sizes of a page. */
export interface PageSizes {
  readonly byDefault: number
  readonly max: number
}

export const LIBRARY_PAGE: PageSizes = { byDefault: 20, max: 100 }

/** The size of a page, from 1 to `max`. */
export function readLimit(request: FastifyRequest, sizes: PageSizes): number {
  const text = readParameter(request, 'limit')
  return text === undefined ? sizes.byDefault : limitOf(text, sizes)
}

export function limitOf(text: unknown, { max }: Pick<PageSizes, 'max'>): number {
  const value = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > max) throw invalidField('limit', `Give a whole number from 1 to ${max}.`)
  return value
}

/** A part of the path, such as an id; what cannot be one is simply not found later. */
export function readPathParameter(request: FastifyRequest, name: string): string {
  const value = isObject(request.params) ? request.params[name] : undefined
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\u0000') ? value : ''
}
