import type { JsonValue } from 'holdfast'
import { readData } from 'holdfast/server'
import { z } from 'zod'
import type { UserIntent } from '../rules/item-intent.ts'
import { readTagName } from '../tag-name.ts'
import { readFields, readIds, wireFields, type Problems } from './read-fields.ts'
import type { Body } from './read-request.ts'
import type { VaultContext } from './vault-context.ts'
import { invalidFields } from './vault-error.ts'

const actions = ['confirm', 'discard', 'archive', 'edit'] as const

/** Names of tags in one body. */
const NAMES_MAX = 1_000

/** A change of one item, as a route means it. */
export interface Change {
  readonly sent: Readonly<Record<string, JsonValue>>
  readonly intent: UserIntent & Required<Pick<UserIntent, 'action'>>
}

/** Reads the body of a change. Throws `VALIDATION_ERROR` naming every field that is wrong; what is no field of a change is ignored. */
export function readChange({ http, collections }: Pick<VaultContext, 'http' | 'collections'>, body: Body): Change {
  const problems: Problems = []
  const action = actions.find((known) => known === (body['action'] ?? 'edit'))
  if (action === undefined) problems.push({ field: 'action', message: `An action is one of ${actions.join(', ')}.` })
  const data = readFields({ ...body, rawText: body['rawText'] === undefined ? body['originalText'] : body['rawText'] }, ['rawText', 'title', 'summary'])
  const tags = readTags(body['tags'] ?? undefined, problems)
  const tagIds = 'ids' in tags ? tags.ids : optionalIds(body, 'tagIds', problems)
  if (tagIds !== undefined && tags.names === undefined) data['tagIds'] = tagIds
  const { acceptProposal = null } = body
  if (acceptProposal !== null && typeof acceptProposal !== 'boolean') problems.push({ field: 'acceptProposal', message: 'This is true or false.' })
  const lists = {
    addedTagIds: optionalIds(body, 'addedTagIds', problems) ?? [],
    removedTagIds: optionalIds(body, 'removedTagIds', problems) ?? [],
    acceptedSuggestionIds: optionalIds(body, 'acceptedSuggestionIds', problems) ?? [],
    rejectedSuggestionIds: optionalIds(body, 'rejectedSuggestionIds', problems) ?? [],
  }
  if (lists.addedTagIds.some((id) => lists.removedTagIds.includes(id))) problems.push({ field: 'removedTagIds', message: 'A tag is either added or removed.' })
  const read = readData(collections.items, 'patch', data)
  if (read.kind === 'invalid') problems.push(...wireFields(read.fields))
  if (problems.length > 0 || read.kind === 'invalid' || action === undefined) throw invalidFields(problems)
  const { names } = tags
  const newTagIds = [...(names ?? []), ...lists.acceptedSuggestionIds].map(() => http.chance.id())
  const isEdit = action !== 'discard'
  const intent = { by: 'user', action, ...lists, newTagIds, ...(names === undefined ? {} : { tagNames: names }), ...(typeof acceptProposal === 'boolean' ? { acceptProposal } : {}) } as const
  return isEdit ? { sent: read.value.sent, intent } : { sent: {}, intent: { by: 'user', action } }
}

function optionalIds(body: Body, field: string, problems: Problems): string[] | undefined {
  const value = body[field] ?? undefined
  return value === undefined ? undefined : readIds(field, value, problems)
}

const shownTagsSchema = z.array(z.looseObject({ id: z.string() })).min(1)

/** Names of tags; a client that sends back what it has read names them by objects with ids. */
function readTags(value: unknown, problems: Problems): { readonly names?: readonly string[] } | { readonly ids: string[]; readonly names?: undefined } {
  if (value === undefined) return {}
  const shown = shownTagsSchema.safeParse(value)
  if (shown.success)
    return {
      ids: readIds(
        'tags',
        shown.data.map(({ id }) => id),
        problems,
      ),
    }
  const names = z.array(z.string()).max(NAMES_MAX).safeParse(value)
  if (!names.success) problems.push({ field: 'tags', message: 'This is a list of names.' })
  else if (names.data.some((name) => readTagName(name) === undefined)) problems.push({ field: 'tags', message: 'A tag has a name of 1 to 50 characters.' })
  else return { names: names.data }
  return {}
}
