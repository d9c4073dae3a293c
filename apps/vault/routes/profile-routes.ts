import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RecordOf, Scope } from 'holdfast'
import { findSpaceOwner, getRecord, readData, type HttpServer, type Mutation } from 'holdfast/server'
import { vault as app } from '../app.ts'
import { isoTime } from '../item-view.ts'
import { about } from './about-route.ts'
import { readFields, wireFields } from './read-fields.ts'
import { readBody } from './read-request.ts'
import { scopeOf, type VaultContext } from './vault-context.ts'
import { invalidFields, notFound } from './vault-error.ts'
import { acceptedRecord } from './write-item.ts'

type Settings = RecordOf<typeof app, 'settings'>

/** The id of the one record of settings. */
const ME = 'me'
const profileFields = ['nickname', 'avatarUrl', 'bio'] as const
const preferenceFields = ['defaultLanguage', 'timezone', 'aiSuggestionsEnabled', 'knownTagsFirst'] as const
const unset: Settings = app.collections.settings.schema.parse({})

/** Whose vault it is, and how they want it. */
export function registerProfileRoutes(server: HttpServer, vault: VaultContext): void {
  // Where the app is served at the root, the platform answers for its own path.
  if (!server.hasRoute({ method: 'GET', url: `${server.prefix}/auth/me` })) {
    server.get('/auth/me', about('Whose vault it is, with profile and preferences'), async (request, reply) => sendProfile(vault, await scopeOf(vault, request), reply))
  }
  server.patch('/auth/me/profile', about('Change the profile'), (request, reply) => change(vault, request, reply, profileFields))
  server.patch('/auth/me/preferences', about('Change the preferences'), (request, reply) => change(vault, request, reply, preferenceFields))
}

/** Changes the fields that were sent and no others; the record is made with the first change. */
async function change(vault: VaultContext, request: FastifyRequest, reply: FastifyReply, names: readonly (keyof Settings)[]): Promise<FastifyReply> {
  const scope = await scopeOf(vault, request)
  const sent = readFields(readBody(request), names)
  const read = readData(vault.collections.settings, 'put', sent)
  if (read.kind === 'invalid') throw invalidFields(wireFields(read.fields))
  if (Object.keys(sent).length > 0) {
    const mutation: Mutation = { collection: 'settings', id: ME, op: 'put', base: 'any', ...read.value, contract: () => 'write' }
    const { outcomes } = await vault.http.commit(scope, { mutations: [mutation], keepRejected: false, keepConflicts: false })
    acceptedRecord(outcomes[0], undefined)
  }
  return sendProfile(vault, scope, reply)
}

async function sendProfile({ http, collections }: VaultContext, { space }: Scope, reply: FastifyReply): Promise<FastifyReply> {
  const { owner, record } = await http.database.read(async (reader) => ({ owner: await findSpaceOwner(reader, space), record: await getRecord(reader, collections.settings, space, ME) }))
  if (owner === undefined) throw notFound()
  const stored = record === undefined || record.deletedAt !== null ? undefined : record
  // As the collection's schema has checked it.
  const settings = (stored?.fields ?? unset) as unknown as Settings
  const { nickname, avatarUrl, bio, defaultLanguage, timezone, aiSuggestionsEnabled, knownTagsFirst } = settings
  return reply.send({
    id: owner.id,
    email: owner.email,
    displayName: owner.displayName,
    nickname,
    avatarUrl,
    bio,
    preferences: { defaultLanguage, timezone, aiSuggestionsEnabled, knownTagsFirst },
    createdAt: isoTime(owner.createdAt),
    updatedAt: isoTime(stored?.version ?? owner.createdAt),
  })
}
