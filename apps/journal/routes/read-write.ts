import type { FastifyRequest } from 'fastify'
import { idSchema, type Fields, type JsonValue, type Scope } from 'holdfast'
import { readData, type CompiledCollection } from 'holdfast/server'
import { TEXT_CHARS_MAX } from '../app.ts'
import { fieldsOfBlocks, type DraftBlock } from '../draft-blocks.ts'
import type { JournalSettings } from '../settings.ts'
import { isObject } from './check-access.ts'
import { DialectError, invalidField, invalidParameter } from './dialect-error.ts'

export type Body = Readonly<Record<string, unknown>>

/** The JSON object of a request. A write may come without a body where none is needed. */
export function readBody(request: FastifyRequest): Body {
  const { body } = request
  if (body === undefined || body === null) return {}
  if (!isObject(body)) throw invalidField('body', 'Send a JSON object.')
  return body
}

export function readId(value: unknown, field = 'id'): string {
  const id = idSchema.safeParse(value)
  if (!id.success) throw invalidField(field, 'An id is 1 to 128 of letters, digits and _ . : -')
  return id.data
}

/** The version the writer last saw; undefined when it does not say. Both spellings may be used, as long as they agree. */
export function readConstraint(body: Body): number | undefined {
  const short = body['clientLastKnownServerVersion'] ?? undefined
  const known = short === undefined ? undefined : readVersion(short, 'clientLastKnownServerVersion')
  const long = body['versionConstraint'] ?? undefined
  if (long === undefined) return known
  if (!isObject(long)) throw invalidField('versionConstraint', 'This is an object with a type.')
  switch (long['type']) {
    case 'none':
      if (known !== undefined) throw invalidField('versionConstraint', 'It contradicts clientLastKnownServerVersion.')
      return undefined
    case 'known': {
      const version = readVersion(long['serverVersion'], 'versionConstraint.serverVersion')
      if (known !== undefined && known !== version) throw invalidField('versionConstraint', 'It contradicts clientLastKnownServerVersion.')
      return version
    }
    default:
      throw invalidField('versionConstraint.type', 'The type is known or none.')
  }
}

function readVersion(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw invalidField(field, 'A version is a whole number from 0.')
  return value
}

/** The constraint of a DELETE, whose body may be missing. */
export function readQueryConstraint(request: FastifyRequest): number | undefined {
  const value = isObject(request.query) ? request.query['clientLastKnownServerVersion'] : undefined
  if (value === undefined) return undefined
  const known = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(known)) throw invalidParameter('clientLastKnownServerVersion', 'A version is a whole number from 0.')
  return known
}

/** A label for people: from the body, else from the header, else the credential's own device. */
export function readDeviceId(request: FastifyRequest, body: Body, scope: Scope): string {
  const header = request.headers['x-device-id']
  const named = body['deviceId'] ?? (header === '' ? undefined : header) ?? scope.device ?? scope.actor.id
  if (typeof named !== 'string' || named.length < 1 || named.length > 128) throw invalidField('deviceId', 'A device has a name of 1 to 128 characters.')
  if (!named.isWellFormed() || named.includes('\u0000')) throw invalidField('deviceId', 'Text must be well-formed Unicode without U+0000.')
  return named
}

export interface FieldsToRead {
  readonly collection: CompiledCollection
  readonly kind: 'create' | 'update'
  readonly deviceId: string
}

/** Fields of a write, and the whole record they would make by themselves. */
export interface ReadFields {
  readonly sent: Fields
  readonly complete?: Fields
}

/** The fields of a note, journal or draft that a body carries. What is no field of the collection is ignored. */
export function readFields(body: Body, settings: JournalSettings, { collection, kind, deviceId }: FieldsToRead): ReadFields {
  const data: Record<string, JsonValue> = { deviceId }
  for (const { name, server } of collection.fields) {
    const value = body[wireName(name)]
    if (value === undefined || server || name === 'deviceId' || name === 'blockTypes') continue
    if (kind === 'update' && (name === 'type' || name === 'writtenAt')) continue
    data[name] = value as JsonValue
  }
  refuseLongText(data['content'], settings)
  if (data['lastUpdated'] === undefined) throw invalidField('lastUpdated', 'This is required.')
  const read = readData(collection, 'put', data)
  if (read.kind === 'invalid') throw invalidRecord(read.fields)
  const { sent, complete } = read.value
  if (kind === 'create' && complete === undefined) {
    const whole = collection.schema.safeParse(data)
    throw whole.success ? new Error('A valid record was not complete.') : invalidRecord(whole.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })))
  }
  if (collection.name !== 'drafts') return complete === undefined ? { sent } : { sent, complete }
  return withDerived(sent, complete)
}

/** What follows from blocks is part of the write, so that a repetition is recognised as the same. */
function withDerived(sent: Fields, complete: Fields | undefined): ReadFields {
  const blocks = sent['blocks'] as unknown as readonly DraftBlock[] | undefined
  if (blocks === undefined) return complete === undefined ? { sent } : { sent, complete }
  const { content } = fieldsOfBlocks(blocks)
  return { sent: { ...sent, content }, ...(complete === undefined ? {} : { complete: { ...complete, content } }) }
}

function refuseLongText(content: JsonValue | undefined, { textCharsMax }: JournalSettings): void {
  if (textCharsMax < TEXT_CHARS_MAX && typeof content === 'string' && content.length > textCharsMax) throw invalidField('content', `At most ${textCharsMax} characters.`)
}

/** A refusal of the collection's schema, by the dialect's names. */
export function invalidRecord(fields: readonly { readonly path: string; readonly message: string }[], prefix = '', details: Readonly<Record<string, string>> = {}): DialectError {
  const [first] = fields
  if (first === undefined) return invalidField('body', 'The record would not be valid.', details)
  const path = first.path.replace(/^data\./, '')
  const [head = '', ...rest] = path.split('.')
  return invalidField(`${prefix}${[wireName(head), ...rest].join('.')}`, first.message, details)
}

/** The dialect's name of a field: the platform owns the column `created_at`. */
export function wireName(field: string): string {
  return field === 'writtenAt' ? 'createdAt' : field
}
