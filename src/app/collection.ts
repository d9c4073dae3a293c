import { z } from 'zod'
import { idSchema } from '../protocol/ids.ts'
import type { ConflictPolicy, FieldPolicy } from './conflict-policy.ts'

export type SpaceRole = 'viewer' | 'editor' | 'owner'

/** Least role per operation; `nobody` leaves the operation to the app's own routes and jobs. */
export interface CollectionAccess {
  readonly read?: SpaceRole
  readonly write?: SpaceRole | 'nobody'
  readonly delete?: SpaceRole | 'nobody'
}

/** Fields of every record that an index may name. */
export const keptFields = ['id', 'createdAt'] as const
type KeptField = (typeof keptFields)[number]

export interface CollectionOptions<Field extends string = string> {
  readonly conflict?: ConflictPolicy
  readonly fields?: Readonly<Partial<Record<Field, FieldPolicy>>>
  /** Each entry is a list of fields, or of what the platform keeps of a record; every index starts with the space. */
  readonly indexes?: readonly (readonly (Field | KeptField)[])[]
  /** Fields that can be searched, text or JSON with texts in it; the first counts most. */
  readonly search?: readonly Field[]
  /** How records are listed: those with one value of a text field, the largest of a number field first. Without a number a record is not listed. */
  readonly listed?: { readonly by: Field; readonly sort: Field }
  /** A field that is a list of ids, by each of which records are found; how many there are is kept for each value of `listed.by`. */
  readonly members?: Field
  /** Fields that only the server sets: refused in a push unless they echo what is stored. */
  readonly server?: readonly Field[]
  readonly access?: CollectionAccess
  /** The one id the collection may hold. */
  readonly singleton?: string
}

/** A declared collection. `schema` is what the server stores; `plain` is what an app works with. */
export interface Collection<Shape extends z.ZodRawShape = z.ZodRawShape> {
  readonly schema: z.ZodObject<Shape>
  readonly encrypted: boolean
  readonly options: CollectionOptions
}

/** Declares a collection from a Zod object. Fields are nullable or have a default, never optional, so that every record has every field. */
export function collection<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, options: CollectionOptions<Extract<keyof Shape, string>> = {}): Collection<Shape> {
  return { schema, encrypted: false, options: options as CollectionOptions }
}

const PAYLOAD_CHARS_MAX = 2_097_152

/** What the server keeps of an encrypted record: it orders and stores what it cannot read. */
const sealedSchema = z.object({
  /** Base64 of nonce and AES-256-GCM ciphertext. */
  payload: z.base64().max(PAYLOAD_CHARS_MAX),
  keyId: idSchema,
})

/** Declares a collection whose records only clients can read. Merging happens on the client, so a stale base is a conflict. */
export function encryptedCollection<Shape extends z.ZodRawShape>(
  plain: z.ZodObject<Shape>,
  options: Pick<CollectionOptions, 'access' | 'singleton'> = {},
): Collection<typeof sealedSchema.shape> & { readonly plain: z.ZodObject<Shape> } {
  return { schema: sealedSchema, plain, encrypted: true, options: { ...options, conflict: 'reject' } }
}

/** A field that holds the id of a record in another collection of the same app; the database enforces it. */
export function ref(collectionName: string) {
  return idSchema.meta({ ref: collectionName })
}
