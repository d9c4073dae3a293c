import type { Fields } from '../app/conflict-policy.ts'
import type { JsonValue } from '../lib/json.ts'
import { isWellFormedText } from '../lib/well-formed-text.ts'
import type { CollectionInfo, FieldIssue } from './collection-info.ts'

const idPattern = /^[A-Za-z0-9_.:-]{1,128}$/

/** What was to be written is not valid; nothing was written. `fields` says what is wrong where. */
export class InvalidEditError extends Error {
  override readonly name = 'InvalidEditError'
  readonly fields: readonly FieldIssue[]

  constructor(collection: string, fields: readonly FieldIssue[]) {
    super(`Not written to ${collection}: ${fields.map(({ path, message }) => `${path}: ${message}`).join('; ')}`)
    this.fields = fields
  }
}

export function checkId({ name, singleton }: CollectionInfo, id: string): void {
  if (!idPattern.test(id)) throw new InvalidEditError(name, [{ path: 'id', message: 'Use 1 to 128 of A-Z, a-z, 0-9, _, ., : and -.' }])
  if (singleton !== undefined && id !== singleton) throw new InvalidEditError(name, [{ path: 'id', message: `The only id here is "${singleton}".` }])
}

/** The whole record that a put makes, with defaults. Checked by the schema that the app brought. */
export function checkWhole(collection: CollectionInfo, data: Readonly<Record<string, unknown>>): Fields {
  refuseUnknown(collection, data)
  const parsed = collection.checks.whole.safeParse(data)
  if (!parsed.success) throw new InvalidEditError(collection.name, issuesOf(parsed.error, []))
  return plainJson(collection, { ...collection.blank, ...(parsed.data as Fields) })
}

/** The fields that a patch changes, each checked by itself: what the record was before is not this writer's doing. */
export function checkPart(collection: CollectionInfo, data: Readonly<Record<string, unknown>>): Fields {
  refuseUnknown(collection, data)
  const given = Object.entries(data).filter(([, value]) => value !== undefined)
  const checked = given.map(([name, value]) => {
    const parsed = collection.checks.byField.get(name)?.safeParse(value)
    if (parsed?.success === false) throw new InvalidEditError(collection.name, issuesOf(parsed.error, [name]))
    return [name, (parsed?.data ?? value) as JsonValue] as const
  })
  return plainJson(collection, Object.fromEntries(checked))
}

function refuseUnknown({ name, checks }: CollectionInfo, data: Readonly<Record<string, unknown>>): void {
  const unknown = Object.keys(data).filter((field) => !checks.byField.has(field))
  if (unknown.length > 0)
    throw new InvalidEditError(
      name,
      unknown.map((path) => ({ path, message: 'The collection has no such field.' })),
    )
}

/** A copy of the caller's values, which may change later. Text that the server could not keep unchanged is refused. */
function plainJson({ name }: CollectionInfo, fields: Fields): Fields {
  const copy = JSON.parse(JSON.stringify(fields)) as Fields
  const bad = Object.keys(copy).find((field) => !isWellFormed(copy[field] ?? null))
  if (bad !== undefined) throw new InvalidEditError(name, [{ path: bad, message: 'Text must be well-formed Unicode without U+0000.' }])
  return copy
}

function isWellFormed(value: JsonValue): boolean {
  if (typeof value === 'string') return isWellFormedText(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, item]) => isWellFormedText(key) && isWellFormed(item as JsonValue))
}

function issuesOf(error: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] } | undefined, prefix: readonly string[]): FieldIssue[] {
  return (error?.issues ?? []).map(({ path, message }) => ({ path: [...prefix, ...path.map(String)].join('.'), message }))
}
