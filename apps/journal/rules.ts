import type { Fields, Rule, RuleContext, RuleMutation, RuleOutcome, StoredRecord } from 'holdfast'
import { fieldsOfBlocks, withText, type DraftBlock } from './draft-blocks.ts'
import { linkId } from './link-id.ts'

/** Links and files of one record that a deletion takes along, at most: a commit takes no more. What has more cannot be deleted as a whole. */
const CASCADE_MAX = 400_000

/** The rules of the journal: they hold for the dialect, push, REST and jobs alike. */
export const rules: Readonly<Record<string, Rule>> = {
  content: (context) => withCascade(context, { links: 'contentId', media: true }),
  journals: (context) => withCascade(context, { links: 'journalId', media: false }),
  drafts: (context) => ({ kind: 'accept', fields: { ...writerFields(context), ...draftFields(context) } }),
  associations: linkRule,
  media: mediaRule,
}

/** The time of the first write stays; the device is named by the writer, or else by the credential. */
function writerFields({ stored, sent, scope }: RuleContext): Fields {
  const named = sent['deviceId']
  const device = typeof named === 'string' && named !== '' ? named : (scope.deviceLabel ?? scope.device ?? scope.actor.id)
  return { deviceId: device, ...(stored === undefined ? {} : { writtenAt: stored.fields['writtenAt'] ?? 0 }) }
}

interface Dependent {
  readonly collection: 'associations' | 'media'
  readonly record: StoredRecord
}

interface DependentKinds {
  /** The field of a link that names the record. */
  readonly links: 'contentId' | 'journalId'
  readonly media: boolean
}

/** What hangs on the record, where its life begins anew or ends; undefined when it is more than one commit takes along. */
async function dependentsOf(context: RuleContext, kinds: DependentKinds): Promise<Dependent[] | undefined> {
  const { operation, id, reader } = context
  if (operation !== 'delete' && operation !== 'restore') return []
  const links = await reader.find('associations', [{ field: kinds.links, equals: id }], CASCADE_MAX + 1)
  const files = kinds.media ? await reader.find('media', [{ field: 'contentId', equals: id }], CASCADE_MAX + 1) : []
  if (links.length + files.length > CASCADE_MAX) return undefined
  const dependents = [...links.map((record) => ({ collection: 'associations' as const, record })), ...files.map((record) => ({ collection: 'media' as const, record }))]
  if (operation === 'delete') return dependents.filter(({ record }) => record.deletedAt === null)
  const removed = dependents.filter(({ record }) => record.deletedAt !== null && record.fields['removedBy'] === 'cascade')
  const returning: Dependent[] = []
  for (const dependent of removed) if (dependent.collection === 'media' || (await hasOtherEnd(context, kinds, dependent.record))) returning.push(dependent)
  return returning
}

/** A link does not come back while what it leads to is deleted; it comes back with that. */
async function hasOtherEnd({ reader }: RuleContext, { links }: DependentKinds, { fields }: StoredRecord): Promise<boolean> {
  const [collection, field] = links === 'contentId' ? ['journals', 'journalId'] : ['content', 'contentId']
  return !(await isDeleted({ reader }, collection as 'journals' | 'content', fields[field as 'journalId' | 'contentId']))
}

/** Deletes or brings back what hangs on a record in the same commit as the record. */
async function withCascade(context: RuleContext, kinds: DependentKinds): Promise<RuleOutcome> {
  const { operation } = context
  const fields = writerFields(context)
  const dependents = await dependentsOf(context, kinds)
  if (dependents === undefined) return refuse('cascade.too_large', `More than ${CASCADE_MAX} links and files hang on this. Take some out first.`)
  const also = dependents.map(
    ({ collection, record }): RuleMutation =>
      operation === 'delete' ? { collection, id: record.id, op: 'delete', context: cascade } : { collection, id: record.id, op: 'put', data: { removedBy: null }, context: cascade },
  )
  return { kind: 'accept', fields, also }
}

const cascade: Fields = { cascade: true }

function draftFields({ next, stored, sent }: RuleContext): Fields {
  if (Object.hasOwn(sent, 'blocks')) return fieldsOfBlocks(blocksOf(next))
  if (!Object.hasOwn(sent, 'content')) return fieldsOfBlocks(blocksOf(next))
  const blocks = withText(blocksOf(stored?.fields ?? {}), String(next['content'] ?? ''))
  return { blocks: blocks as unknown as Fields['blocks'] & object, ...fieldsOfBlocks(blocks) }
}

/** Blocks as the collection's schema has checked them. */
function blocksOf(fields: Fields): readonly DraftBlock[] {
  return (fields['blocks'] ?? []) as unknown as readonly DraftBlock[]
}

/** A link has the id that its ends give it, points to nothing deleted, and is not brought back by a late copy of an old request. */
async function linkRule(context: RuleContext): Promise<RuleOutcome> {
  const { operation, id, stored, next, sent } = context
  const byCascade = context.context?.['cascade'] === true
  if (operation === 'delete') return { kind: 'accept', fields: { removedBy: byCascade ? 'cascade' : 'user', removedAt: context.context?.['removedAt'] ?? null } }
  if (id !== linkId(String(next['journalId']), String(next['contentId']))) {
    return refuse('link.id', 'The id of a link is the SHA-256 of journalId, a newline and contentId.')
  }
  if (byCascade) return { kind: 'accept', fields: { removedBy: null, removedAt: null } }
  if (operation === 'update') return { kind: 'accept', fields: pick(stored?.fields ?? {}, ['writtenAt', 'deviceId']) }
  for (const [collection, field] of [
    ['journals', 'journalId'],
    ['content', 'contentId'],
  ] as const) {
    if (await isDeleted(context, collection, next[field])) return refuse('link.deleted', 'What the link leads to is deleted.')
  }
  const { deviceId } = writerFields(context)
  const writtenAt = sent['writtenAt'] ?? next['writtenAt'] ?? 0
  if (stored !== undefined) {
    if (stored.fields['writtenAt'] === writtenAt && stored.fields['deviceId'] === deviceId) return refuse('link.replay', 'This is the link that was removed.')
    const removedAt = stored.fields['removedAt']
    if (typeof removedAt === 'number' && Number(writtenAt) <= removedAt) return refuse('link.stale', 'The link was removed after that.')
  }
  return { kind: 'accept', fields: { writtenAt, deviceId: deviceId ?? '', removedBy: null, removedAt: null } }
}

function mediaRule(context: RuleContext): RuleOutcome {
  const byCascade = context.context?.['cascade'] === true
  if (context.operation === 'delete') return { kind: 'accept', fields: { removedBy: byCascade ? 'cascade' : 'user' } }
  return { kind: 'accept', fields: { removedBy: null } }
}

async function isDeleted({ reader }: Pick<RuleContext, 'reader'>, collection: 'journals' | 'content', id: unknown): Promise<boolean> {
  const record = typeof id === 'string' ? await reader.get(collection, id) : undefined
  return record !== undefined && record.deletedAt !== null
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? null]))
}

function refuse(code: string, message: string): RuleOutcome {
  return { kind: 'refuse', code, message }
}
