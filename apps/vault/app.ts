import { collection, defineApp, idSchema, ref, type FieldJoin, type JsonValue } from 'holdfast'
import { z } from 'zod'
import { vaultLimits } from './limits.ts'
import { cleanTagName } from './tag-name.ts'
import { joinStatus } from './transitions.ts'
import { trimText } from './trim-text.ts'
import { readAddress } from './url-key.ts'

/** Text of at most `max` code points once it is trimmed. A string of that many UTF-16 units is short enough without counting. */
function text(max: number, clean: (value: string) => string = trimText) {
  return z
    .string()
    .overwrite(clean)
    .refine((value) => value.length <= max || (value.length <= 2 * max && [...value].length <= max), `At most ${max} characters.`)
}

const time = z.int().min(0).nullable().default(null)

export const statuses = ['ENRICHING', 'READY_TO_CONFIRM', 'FAILED', 'ARCHIVED', 'DISCARDED'] as const
export type Status = (typeof statuses)[number]

const sourceType = z.enum(['NOTE', 'ARTICLE']).nullable().default(null)

const suggestionSchema = z.object({
  id: z.string(),
  name: z.string(),
  confidence: z.number().min(0).max(1),
  status: z.enum(['PENDING', 'ACCEPTED', 'REJECTED']),
  tagId: z.string().optional(),
})

const proposalSchema = z.object({
  title: z.string().nullable(),
  summary: z.string().nullable(),
  suggestedTags: z.array(suggestionSchema).max(vaultLimits.SUGGESTIONS_MAX),
  sourceType: z.enum(['NOTE', 'ARTICLE']),
  createdAt: z.int(),
})

/** Two moves of one item: the later one counts where the table allows it. */
const join: FieldJoin = (_base, server, client) => {
  const status = joinStatus(asStatus(server), asStatus(client))
  return status === undefined ? { kind: 'conflict' } : { kind: 'joined', value: status }
}

function asStatus(value: JsonValue): Status {
  return statuses.find((status) => status === value) ?? 'ENRICHING'
}

const items = collection(
  z.object({
    /** What was captured; the address itself where only that was sent: the rule sees to it. */
    rawText: text(vaultLimits.RAW_TEXT_CHARS_MAX).default(''),
    url: z
      .string()
      .overwrite(trimText)
      .max(vaultLimits.URL_CHARS_MAX)
      .refine((value) => readAddress(value) !== undefined, 'This is no http or https address without user and password.')
      .nullable()
      .default(null),
    title: text(vaultLimits.TITLE_CHARS_MAX).min(1).nullable().default(null),
    summary: text(vaultLimits.SUMMARY_CHARS_MAX).min(1).nullable().default(null),
    tagIds: z.array(idSchema).max(vaultLimits.TAGS_MAX).default([]),
    enrichmentMode: z.enum(['AI', 'MANUAL']).default('AI'),
    /** Epoch milliseconds; null until the rule has set it to the time of the commit. */
    capturedAt: time,
    status: z.enum(statuses).default('ENRICHING'),
    sourceType,
    suggestedTags: z.array(suggestionSchema).max(vaultLimits.SUGGESTIONS_MAX).default([]),
    outcome: z.enum(['done', 'empty', 'refused', 'failed', 'cancelled']).nullable().default(null),
    attempts: z.int().min(0).default(0),
    errorCode: z.string().max(60).nullable().default(null),
    errorMessage: z.string().max(500).nullable().default(null),
    provider: z.string().max(60).nullable().default(null),
    model: z.string().max(200).nullable().default(null),
    proposal: proposalSchema.nullable().default(null),
    confirmedAt: time,
    discardedAt: time,
    discardedFrom: z.enum(statuses).nullable().default(null),
    duplicateOf: idSchema.nullable().default(null),
    /** The address without what does not tell two pages apart. */
    urlKey: z.string().max(vaultLimits.URL_CHARS_MAX).nullable().default(null),
  }),
  {
    conflict: 'merge',
    fields: { tagIds: 'set', status: join },
    indexes: [['status', 'createdAt', 'id'], ['status', 'confirmedAt', 'id'], ['status', 'sourceType', 'confirmedAt', 'id'], ['urlKey']],
    search: ['title', 'summary', 'rawText'],
    listed: { by: 'status', sort: 'confirmedAt' },
    members: 'tagIds',
  },
)

const tags = collection(
  z.object({
    name: text(vaultLimits.TAG_CHARS_MAX, cleanTagName).min(1),
    /** `name` after NFKC and lower-casing; made by the rule. */
    nameKey: z.string().max(1_000).default(''),
    color: z
      .string()
      .regex(/^(?:[a-z]{1,20}|#[0-9a-fA-F]{6})$/)
      .default('gray'),
    lastUsed: time,
    /** Set when another tag of this name was there first: this row is an alias. */
    mergedInto: ref('tags').nullable().default(null),
  }),
  {
    conflict: 'merge',
    indexes: [
      ['nameKey', 'id'],
      ['lastUsed', 'id'],
    ],
    search: ['name'],
  },
)

/** The readable text of an item's page, under the item's id. Only the worker writes it. */
const articles = collection(
  z.object({
    itemId: idSchema,
    status: z.enum(['done', 'failed', 'blocked', 'empty']),
    code: z.string().max(60).nullable().default(null),
    title: text(500).nullable().default(null),
    byline: text(500).nullable().default(null),
    siteName: text(500).nullable().default(null),
    language: z.string().max(60).nullable().default(null),
    wordCount: z.int().min(0).default(0),
    text: text(vaultLimits.ARTICLE_CHARS_MAX).default(''),
    fetchedUrl: z.string().max(vaultLimits.URL_CHARS_MAX).nullable().default(null),
    fetchedAt: time,
  }),
  { search: ['title', 'text'], access: { write: 'nobody', delete: 'nobody' } },
)

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const settings = collection(
  z.object({
    nickname: text(40).min(1).nullable().default(null),
    avatarUrl: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .nullable()
      .default(null),
    bio: text(200).nullable().default(null),
    defaultLanguage: z.enum(['en', 'zh']).default('en'),
    timezone: z.string().max(64).refine(isTimeZone, 'This is no IANA time zone.').default('UTC'),
    aiSuggestionsEnabled: z.boolean().default(true),
    knownTagsFirst: z.boolean().default(true),
  }),
  { conflict: 'merge', singleton: 'me' },
)

/** Capture now, enrich later, confirm: texts and links with a title, a summary and tags. */
export const vault = defineApp({ name: 'vault', spaces: 'personal', collections: { items, tags, articles, settings } })
