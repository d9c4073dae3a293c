import type { Fields, Scope } from 'holdfast'
import { readData, type HttpContext, type Mutation, type WriteContract } from 'holdfast/server'
import type { CollectionName } from './routes/journal-context.ts'
import { linkId } from './link-id.ts'
import sample from './sample-diary.json' with { type: 'json' }

/** What is there stays: whoever has edited or deleted a passage keeps it so. */
const onlyNew: WriteContract = ({ stored }) => (stored === undefined ? 'write' : 'unchanged')

/** Puts ten short passages of a diary in the public domain into the space, in a journal of their own. Run again it changes nothing. */
export async function seed(context: HttpContext, scope: Scope): Promise<Readonly<Record<string, number>>> {
  const prepare = (collection: CollectionName, id: string, data: Fields): Mutation => {
    const declared = context.apps.get('journal')?.app.collections.get(collection)
    const read = declared === undefined ? undefined : readData(declared, 'put', data)
    if (read?.kind !== 'valid') throw new Error(`The sample's ${collection}/${id} is not valid: ${JSON.stringify(read?.fields)}`)
    return { collection, id, op: 'put', base: 'any', contract: onlyNew, ...read.value }
  }
  const { id: journalId, title, description } = sample.journal
  const newest = Date.parse(sample.notes.at(-1)?.entryDate ?? '1970-01-01')
  const mutations = [prepare('journals', journalId, { title, description, writtenAt: newest, lastUpdated: 0 })]
  for (const { id, entryDate, ...fields } of sample.notes) {
    const writtenAt = Date.parse(entryDate)
    mutations.push(prepare('content', id, { type: 'TEXT', ...fields, entryDate, writtenAt, lastUpdated: 0 }))
    mutations.push(prepare('associations', linkId(journalId, id), { journalId, contentId: id, writtenAt }))
  }
  await context.commit(scope, { mutations, keepRejected: false, keepConflicts: false })
  return { journals: 1, content: sample.notes.length, associations: sample.notes.length }
}
