import type { FastifyReply, FastifyRequest } from 'fastify'
import { idSchema } from 'holdfast'
import { liveJobs, type Mutation } from 'holdfast/server'
import { ENRICH } from '../rules/enrich-job.ts'
import { itemOf } from '../rules/item-fields.ts'
import { intentContext } from '../rules/item-intent.ts'
import { readBody } from './read-request.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { invalidField, notFound } from './vault-error.ts'
import { changeContract, refusalOf } from './write-item.ts'

const actions = ['confirm', 'discard', 'archive', 'retry', 'cancel', 'restore', 'delete'] as const
type BulkAction = (typeof actions)[number]

const IDS_MAX = 200

/** Does one thing to many items, in one commit; each of them has an outcome of its own. */
export async function actOnMany(vault: VaultContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const scope = await scopeOf(vault, request)
  const body = readBody(request)
  const action = actions.find((known) => known === body['action'])
  if (action === undefined) throw invalidField('action', `An action is one of ${actions.join(', ')}.`)
  const ids = readIds(body['ids'])
  // What cannot be an id is the id of nothing.
  const named = ids.filter(isId)
  const jobs = action === 'cancel' ? await vault.http.database.read((reader) => liveJobs(reader, scope.space, ENRICH, named)) : undefined
  const mutations = named.map((id) => mutationOf(id, action, jobs?.get(id)?.attempts))
  const { outcomes } = await vault.http.commit(scope, { mutations, keepRejected: false, keepConflicts: false })
  let decided = 0
  const results = ids.map((id) => {
    const outcome = isId(id) ? outcomes[decided++] : undefined
    const error = outcome === undefined ? notFound() : refusalOf(outcome, action === 'delete' ? undefined : action)
    if (error !== undefined) return { id, ok: false, error: error.view(request.id) }
    const record = outcome?.record
    return { id, ok: true, ...(record === undefined || record.deletedAt !== null ? {} : { status: itemOf(record.fields).status }) }
  })
  return reply.send({ results })
}

function isId(id: string): boolean {
  return idSchema.safeParse(id).success
}

function readIds(value: unknown): string[] {
  const ids = Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string') : []
  if (!Array.isArray(value) || ids.length !== value.length || ids.length === 0 || ids.length > IDS_MAX) throw invalidField('ids', `Give a list of 1 to ${IDS_MAX} ids.`)
  return ids
}

function mutationOf(id: string, action: BulkAction, attempts: number | undefined): Mutation {
  const place = { collection: 'items', id, base: 'any', sent: {}, contract: changeContract() } as const
  if (action === 'delete') return { ...place, op: 'delete' }
  return { ...place, op: 'patch', context: intentContext({ by: 'user', action, ...(attempts === undefined ? {} : { attempts }) }) }
}
