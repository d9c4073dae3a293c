import type { FastifyRequest } from 'fastify'
import { isObject } from './check-access.ts'
import { invalidParameter } from './dialect-error.ts'

/** A query parameter; undefined when absent. Given twice, it says nothing clear. */
export function readParameter(request: FastifyRequest, name: string): string | undefined {
  const value = isObject(request.query) ? request.query[name] : undefined
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw invalidParameter(name, 'Give it once.')
  return value
}

/** A version or time: a whole number from 0. */
export function readNumber(request: FastifyRequest, name: string): number | undefined {
  const text = readParameter(request, name)
  if (text === undefined) return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw invalidParameter(name, 'This is a whole number from 0.')
  return value
}

/** The size of a page: what is no number counts as the default, what is out of bounds as the bound. */
export function readLimit(request: FastifyRequest, { byDefault, max }: { readonly byDefault: number; readonly max: number }): number {
  const text = readParameter(request, 'limit')
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text)
  return Number.isNaN(value) ? byDefault : Math.min(Math.max(Math.trunc(value), 1), max)
}

export function readPathParameter(request: FastifyRequest, name: string): string {
  const value = isObject(request.params) ? request.params[name] : undefined
  return typeof value === 'string' ? value : ''
}
