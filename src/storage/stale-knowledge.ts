import type { CompiledCollection } from '../app/compile-app.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { Scope, StoredRecord } from '../app/rule.ts'
import type { StaleKnowledge } from '../engine/decide.ts'
import type { Mutation } from '../engine/mutation.ts'
import type { CommitDraft } from './commit-draft.ts'
import type { Reader } from './database.ts'
import type { EntryDetail } from './change-log.ts'
import type { Lookback } from './lookback.ts'
import { readEntryTime } from './read-entry.ts'

interface Deps {
  readonly reader: Reader
  readonly scope: Scope
  readonly draft: CommitDraft
  readonly lookback: Lookback
}

/** What the change log says about a stale write: the record as the writer saw it, and who wrote what is stored, when. */
export async function knowledgeOf(deps: Deps, collection: CompiledCollection, stored: StoredRecord, mutation: Mutation): Promise<StaleKnowledge> {
  return { base: await fieldsSeen(deps, collection, stored, mutation), ...(await writersOf(deps, collection, stored)) }
}

/** Who wrote what is stored, when, and who writes now. */
export async function writersOf(deps: Deps, collection: CompiledCollection, stored: StoredRecord): Promise<Omit<StaleKnowledge, 'base'>> {
  const { actor, device } = deps.scope
  return {
    storedAt: await storedAt(deps, collection, stored),
    storedClient: `${stored.author}/${stored.device ?? ''}`,
    client: `${actor.type}:${actor.id}/${device ?? ''}`,
  }
}

async function fieldsSeen({ draft, lookback }: Deps, collection: CompiledCollection, stored: StoredRecord, { base }: Mutation): Promise<Fields | undefined> {
  if (base === 0 || base === 'any') return collection.blank
  const original = draft.original(collection.name, stored.id)
  // Nobody has seen a version that this very commit is giving.
  if (base > draft.startVersion) return undefined
  return original === undefined ? collection.blank : lookback.fieldsAt(collection, original, base)
}

/** The writer's clock, which only `lastWriteWins` looks at. */
async function storedAt({ reader, scope, draft }: Deps, collection: CompiledCollection, stored: StoredRecord): Promise<number> {
  if (collection.conflict !== 'lastWriteWins') return stored.updatedAt
  if (stored.version <= draft.startVersion) return (await readEntryTime(reader, scope.space, stored.version)) ?? stored.updatedAt
  const pending = draft.entries.findLast((entry) => entry.version === stored.version)
  return pending === undefined ? stored.updatedAt : ((JSON.parse(pending.detail) as EntryDetail).at ?? stored.updatedAt)
}
