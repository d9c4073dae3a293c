import { collection, defineApp, idSchema, mergeLines } from 'holdfast'
import { z } from 'zod'

/** Characters of a note, in UTF-16 units, unless the configuration says less. */
export const TEXT_CHARS_MAX = 1_048_576

const YEAR_1_MS = -62_135_596_800_000
const YEAR_9999_MS = 253_402_300_799_999

/** The writer's own times in epoch milliseconds; a note may tell of a day long before 1970. */
const writtenAt = z.int().min(YEAR_1_MS).max(YEAR_9999_MS)
const lastUpdated = z.int().min(0).max(YEAR_9999_MS)
/** A label for people and for breaking ties. The rules fill it in where a writer sends none. */
const deviceId = z.string().max(128).default('')
const ids = z.array(idSchema).max(50).default([])
const contentType = z.enum(['TEXT', 'IMAGE', 'VIDEO', 'AUDIO'])
const durationMs = z.int().min(0)
const caption = z.string().max(2_000)
const mediaUri = z.string().max(2_048)
/** How a tombstone came about: somebody asked for it, or what it belongs to was deleted and will bring it back. */
const removedBy = z.enum(['user', 'cascade']).nullable().default(null)

const content = collection(
  z.object({
    type: contentType,
    content: z.string().max(TEXT_CHARS_MAX).nullable().default(null),
    mediaUri: mediaUri.nullable().default(null),
    durationMs: durationMs.default(0),
    writtenAt,
    lastUpdated,
    deviceId,
    caption: caption.nullable().default(null),
    placeName: z.string().max(200).nullable().default(null),
    latitude: z.number().min(-90).max(90).nullable().default(null),
    longitude: z.number().min(-180).max(180).nullable().default(null),
    tags: z.array(z.string().min(1).max(64)).max(50).default([]),
    favorite: z.boolean().default(false),
    entryDate: z.iso.date().nullable().default(null),
    /** The shape of an IANA name: which names there are differs from machine to machine. */
    timeZone: z
      .string()
      .max(64)
      .regex(/^[A-Za-z0-9_+\-/]+$/)
      .nullable()
      .default(null),
  }),
  {
    conflict: 'merge',
    fields: { content: mergeLines, lastUpdated: 'max', tags: 'set', deviceId: 'server', writtenAt: 'server' },
    indexes: [['writtenAt'], ['lastUpdated']],
  },
)

const journals = collection(
  z.object({
    title: z.string().max(2_000),
    description: z.string().max(20_000).default(''),
    coverMediaId: idSchema.nullable().default(null),
    favorite: z.boolean().default(false),
    writtenAt,
    lastUpdated,
    deviceId,
  }),
  { conflict: 'merge', fields: { lastUpdated: 'max', deviceId: 'server', writtenAt: 'server' }, indexes: [['lastUpdated']] },
)

/** A note is in a journal. The id is made of both ids (`linkId`), so that two devices that make the same link make the same record. */
const associations = collection(
  z.object({
    journalId: idSchema,
    contentId: idSchema,
    writtenAt,
    deviceId,
    removedBy,
    /** When the person removed the link, by the writer's clock; null when the writer did not say. */
    removedAt: writtenAt.nullable().default(null),
  }),
  {
    conflict: 'lastWriteWins',
    fields: { deviceId: 'server', writtenAt: 'server' },
    server: ['removedBy', 'removedAt'],
    indexes: [['journalId'], ['contentId']],
  },
)

/** Metadata of a file. Only the upload routes make it; the bytes are blobs of the platform. */
const media = collection(
  z.object({
    contentId: idSchema,
    fileName: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[^\p{Cc}]+$/u),
    mimeType: z
      .string()
      .max(128)
      .regex(/^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+$/),
    sizeBytes: z.int().min(1),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    width: z.int().min(1).nullable().default(null),
    height: z.int().min(1).nullable().default(null),
    state: z.enum(['stored', 'ready', 'failed', 'missing']).default('stored'),
    stateReason: z.string().max(64).nullable().default(null),
    deviceId,
    removedBy,
  }),
  {
    fields: { deviceId: 'server' },
    server: ['removedBy'],
    indexes: [['contentId'], ['sha256']],
    access: { write: 'nobody', delete: 'editor' },
  },
)

const blockSchema = z.object({
  type: contentType,
  text: z.string().max(TEXT_CHARS_MAX).nullable().optional(),
  mediaId: idSchema.nullable().optional(),
  mediaUri: mediaUri.nullable().optional(),
  caption: caption.nullable().optional(),
  durationMs: durationMs.nullable().optional(),
})

const drafts = collection(
  z.object({
    /** The text blocks joined by newlines: what older clients read and write. */
    content: z.string().max(TEXT_CHARS_MAX).default(''),
    blocks: z.array(blockSchema).max(200).default([]),
    /** Types of the blocks, made by the rules. */
    blockTypes: z.array(contentType).max(200).default([]),
    journalIds: ids,
    writtenAt,
    lastUpdated,
    deviceId,
  }),
  {
    conflict: 'merge',
    fields: { lastUpdated: 'max', journalIds: 'set', blockTypes: 'server', deviceId: 'server', writtenAt: 'server' },
    indexes: [['lastUpdated']],
  },
)

/** A personal journal: notes and unfinished notes, journals that hold notes, and the files of notes. */
export const journal = defineApp({ name: 'journal', spaces: 'personal', collections: { content, journals, associations, media, drafts } })

/** Collections whose records a person writes and edits one by one. */
export const editable = ['content', 'journals', 'drafts'] as const
export type Editable = (typeof editable)[number]
