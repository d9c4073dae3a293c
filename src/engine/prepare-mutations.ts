import type { z } from 'zod'
import type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
import type { Fields } from '../app/conflict-policy.ts'
import { limits } from '../protocol/limits.ts'
import { cutText } from '../lib/cut-text.ts'
import type { JsonValue } from '../lib/json.ts'
import { rejectionCodes, type RejectionCode } from '../protocol/error-codes.ts'
import { mutationSchema, type MutationError, type WireMutation } from '../protocol/push.ts'
import type { Mutation, PreparedMutation, Unreadable } from './mutation.ts'

/** Characters of a malformed mutation that are kept with its rejection. */
const PAYLOAD_CHARS_MAX = 65_536

/** Reads the mutations of a push. What cannot be read becomes that mutation's rejection and holds up nobody else. */
export function prepareMutations(app: CompiledApp, mutations: readonly unknown[], options: { readonly numbered: boolean }): PreparedMutation[] {
  return mutations.map((mutation) => prepareMutation(app, mutation, options.numbered))
}

/** An error of a mutation with the text of its code. */
export function rejection(code: RejectionCode, fields?: MutationError['fields']): MutationError {
  return { code, message: rejectionCodes[code], ...(fields === undefined ? {} : { fields }) }
}

function prepareMutation(app: CompiledApp, input: unknown, numbered: boolean): PreparedMutation {
  const stray = strayField(input, (name) => Object.hasOwn(mutationSchema.shape, name))
  if (stray !== undefined) return unreadable(input, rejection('mutation.malformed', [stray]))
  const parsed = mutationSchema.safeParse(input)
  if (!parsed.success) return unreadable(input, rejection('mutation.malformed', issueFields(parsed.error, [])))
  const wire = parsed.data
  if (numbered && wire.n === undefined) return unreadable(input, rejection('mutation.number_missing'))
  const collection = app.collections.get(wire.collection)
  if (collection === undefined) return unreadable(input, rejection('collection.unknown'))
  if (collection.singleton !== undefined && wire.id !== collection.singleton) {
    return unreadable(input, rejection('record.invalid', [{ path: 'id', message: `The only id here is "${collection.singleton}".` }]))
  }
  if (wire.op === 'delete') {
    if (wire.data !== undefined) return unreadable(input, rejection('mutation.malformed', [{ path: 'data', message: 'A delete carries no data.' }]))
    return { ...head(wire), op: 'delete', sent: {} }
  }
  if (wire.data === undefined) return unreadable(input, rejection('mutation.malformed', [{ path: 'data', message: `A ${wire.op} carries data.` }]))
  const data = readData(collection, wire.op, wire.data)
  return data.kind === 'invalid' ? unreadable(input, rejection('record.invalid', data.fields)) : { ...head(wire), op: wire.op, ...data.value }
}

function head(wire: WireMutation): Pick<Mutation, 'n' | 'collection' | 'id' | 'base' | 'at' | 'group'> {
  return {
    collection: wire.collection,
    id: wire.id,
    base: wire.base ?? 0,
    ...(wire.n === undefined ? {} : { n: wire.n }),
    ...(wire.at === undefined ? {} : { at: wire.at }),
    ...(wire.group === undefined ? {} : { group: wire.group }),
  }
}

type ReadData = { readonly kind: 'valid'; readonly value: Pick<Mutation, 'sent' | 'complete'> } | { readonly kind: 'invalid'; readonly fields: NonNullable<MutationError['fields']> }

/** Normalises the fields that were sent. A put that would make a valid record by itself is `complete`, so that a create is checked once. */
export function readData(collection: CompiledCollection, op: 'put' | 'patch', data: Readonly<Record<string, JsonValue>>): ReadData {
  const stray = strayField(data, (name) => collection.fieldByName.has(name))
  if (stray !== undefined) return { kind: 'invalid', fields: [{ ...stray, path: `data.${stray.path}` }] }
  if (op === 'put') {
    const whole = collection.schema.safeParse(data)
    if (whole.success) return { kind: 'valid', value: { sent: pick(whole.data, data), complete: whole.data } }
  }
  const partial = collection.partialSchema.safeParse(data)
  return partial.success ? { kind: 'valid', value: { sent: partial.data } } : { kind: 'invalid', fields: issueFields(partial.error, ['data']) }
}

function pick(whole: Fields, data: Readonly<Record<string, JsonValue>>): Fields {
  const names = Object.keys(data)
  if (names.length === Object.keys(whole).length) return whole
  return Object.fromEntries(names.map((name) => [name, whole[name] ?? null]))
}

/** Names that are looked at one by one; what has more of unknown ones is told the first of them alone. */
const NAMES_MAX = 1_000

/** The first name that is unknown, where there are so many names that going through all of them would take its time. */
function strayField(object: unknown, isKnown: (name: string) => boolean): { path: string; message: string } | undefined {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined
  const names = Object.keys(object)
  const stray = names.length > NAMES_MAX ? names.find((name) => !isKnown(name)) : undefined
  return stray === undefined ? undefined : { path: cutText(stray, limits.TOLD_CHARS_MAX), message: 'There is no such field.' }
}

/** Zod's issues as paths and messages, e.g. `data.title`; the first of them where they are many. */
export function issueFields(error: z.ZodError, prefix: readonly string[]): { path: string; message: string }[] {
  return error.issues.slice(0, limits.TOLD_FIELDS_MAX).map((issue) => {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
    return { path: cutText([...prefix, ...issue.path.map(String), ...unknown].join('.'), limits.TOLD_CHARS_MAX), message: cutText(issue.message, limits.TOLD_CHARS_MAX) }
  })
}

/** Keeps of a malformed mutation what names it, so that the person finds it again. */
function unreadable(input: unknown, error: MutationError): Unreadable {
  const object: Readonly<Record<string, unknown>> = typeof input === 'object' && input !== null && !Array.isArray(input) ? { ...input } : {}
  const n = object['n']
  const group = object['group']
  return {
    unreadable: error,
    collection: shortText(object['collection']),
    id: shortText(object['id']),
    op: shortText(object['op']),
    ...(typeof n === 'number' && Number.isSafeInteger(n) && n >= 1 ? { n } : {}),
    ...(typeof group === 'string' ? { group } : {}),
    payload: cutText((JSON.stringify(input) ?? 'null').toWellFormed().replaceAll('\\u0000', '\\ufffd'), PAYLOAD_CHARS_MAX),
  }
}

function shortText(value: unknown): string {
  return typeof value === 'string' ? cutText(value.toWellFormed().replaceAll('\u0000', '\ufffd'), 128) : ''
}
