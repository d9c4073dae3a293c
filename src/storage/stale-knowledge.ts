import type { CompiledCollection } from '../app/compile-app.ts'
import type { Fields } from '../app/conflict-policy.ts'
import type { Scope, StoredRecord } from '../app/rule.ts'
import type { StaleKnowledge } from '../engine/decide.ts'
import type { Mutation } from '../engine/mutation.ts'
import type { JsonValue } from '../lib/json.ts'
import type { CommitDraft } from './commit-draft.ts'
import type { Reader } from './database.ts'
import type { EntryDetail } from './change-log.ts'
import { readEntry, type LogEntry } from './read-entry.ts'

/** Versions walked back for one base; further back the writer is asked. */
const STEPS_MAX = 10_000

interface Deps {
  readonly reader: Reader
  readonly scope: Scope
  readonly draft: CommitDraft
}

/** What the change log says about a stale write: the record as the writer saw it, and who wrote what is stored, when. */
export async function knowledgeOf(deps: Deps, collection: CompiledCollection, stored: StoredRecord, mutation: Mutation): Promise<StaleKnowledge> {
  const last = await entryAt(deps, stored.version)
  return {
    base: mutation.base === 0 ? collection.blank : await fieldsAt(deps, collection, stored, mutation.base as number),
    storedAt: last?.detail.at ?? last?.at ?? stored.updatedAt,
    storedClient: `${stored.author}/${stored.device ?? ''}`,
    client: `${deps.scope.actor.type}:${deps.scope.actor.id}/${deps.scope.device ?? ''}`,
  }
}

/** The record's fields as of a version, by taking back what came after it; undefined when the log does not reach there. */
async function fieldsAt(deps: Deps, collection: CompiledCollection, stored: StoredRecord, version: number): Promise<Fields | undefined> {
  const fields: Record<string, JsonValue> = { ...stored.fields }
  let at: number | undefined = stored.version
  for (let step = 0; at !== undefined && at > version; step += 1) {
    const entry: LoggedChange | undefined = step < STEPS_MAX ? await entryAt(deps, at) : undefined
    if (entry === undefined) return undefined
    for (const [name, [old]] of Object.entries(entry.changes)) fields[name] = old
    at = entry.detail.previous
  }
  return at === undefined ? collection.blank : fields
}

interface LoggedChange extends Pick<LogEntry, 'changes' | 'detail'> {
  readonly at?: number
}

/** An entry of this commit, or of the database. */
async function entryAt({ reader, scope, draft }: Deps, version: number): Promise<LoggedChange | undefined> {
  if (version <= draft.startVersion) return readEntry(reader, scope.space, version)
  const pending = draft.entries.findLast((entry) => entry.version === version)
  if (pending === undefined) return undefined
  return { changes: JSON.parse(pending.changes) as LogEntry['changes'], detail: JSON.parse(pending.detail) as EntryDetail }
}
