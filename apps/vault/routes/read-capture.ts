import { idSchema, type Fields, type JsonValue } from 'holdfast'
import { readData, type Mutation } from 'holdfast/server'
import { intentContext, type UserIntent } from '../rules/item-intent.ts'
import { trimText } from '../trim-text.ts'
import type { Body } from './read-request.ts'
import { readFields, readIds, readTime, wireFields, type Problems } from './read-fields.ts'
import type { VaultContext } from './vault-context.ts'
import { invalidFields } from './vault-error.ts'

/** A capture as it is to be committed. */
export interface Capture {
  readonly id: string
  readonly mutation: Mutation
}

export interface CaptureOptions {
  /** Names of tags beside `tagIds`: an import brings them along. */
  readonly tagNames?: readonly string[]
}

/** Reads the body of a capture. Throws `VALIDATION_ERROR` naming every field that is wrong; what is no field of a capture is ignored. */
export function readCapture({ http, collections }: Pick<VaultContext, 'http' | 'collections'>, body: Body, options: CaptureOptions = {}): Capture {
  const problems: Problems = []
  const given = idSchema.safeParse(body['id'] ?? http.chance.id())
  if (!given.success) problems.push({ field: 'id', message: 'An id is 1 to 128 of letters, digits and _ . : -' })
  const { enrich = true } = body
  if (typeof enrich !== 'boolean') problems.push({ field: 'enrich', message: 'This is true or false.' })
  const data: Record<string, JsonValue> = { ...readFields(body, ['url', 'title', 'summary']), enrichmentMode: enrich === false ? 'MANUAL' : 'AI' }
  const { rawText = null, capturedAt = null, tagIds = null } = body
  // A link that is shared often comes with an empty text.
  const isBlank = rawText === null || (typeof rawText === 'string' && trimText(rawText) === '')
  if (!isBlank) data['rawText'] = rawText as JsonValue
  else if ((body['url'] ?? null) === null) problems.push({ field: 'rawText', message: 'Send a text or an address.' })
  if (capturedAt !== null) data['capturedAt'] = readTime('capturedAt', capturedAt, problems)
  if (tagIds !== null) data['tagIds'] = readIds('tagIds', tagIds, problems)
  const read = readData(collections.items, 'put', data)
  if (read.kind === 'invalid') problems.push(...wireFields(read.fields))
  if (problems.length > 0 || read.kind === 'invalid' || !given.success) throw invalidFields(problems)
  const { tagNames } = options
  const intent: UserIntent = { by: 'user', ...(tagNames === undefined ? {} : { tagNames, newTagIds: tagNames.map(() => http.chance.id()) }) }
  return { id: given.data, mutation: { collection: 'items', id: given.data, op: 'put', base: 'any', ...read.value, contract: captureContract(read.value.sent), context: intentContext(intent) } }
}

/** The same id with the same text is the same capture; with another text it is a mistake of whoever sent it. */
function captureContract(sent: Fields): NonNullable<Mutation['contract']> {
  const text = sent['rawText'] ?? sent['url']
  return ({ stored }) => {
    if (stored === undefined) return 'write'
    if (stored.deletedAt !== null) return 'deleted'
    return stored.fields['rawText'] === text ? 'unchanged' : 'stale'
  }
}
