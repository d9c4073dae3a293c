import type { CompiledApp } from '../app/compile-app.ts'
import type { Rule, Scope } from '../app/rule.ts'
import type { Mutation, Outcome, PreparedMutation } from '../engine/mutation.ts'
import { rejection } from '../engine/prepare-mutations.ts'
import type { Chance } from '../lib/chance.ts'
import type { Doorbell } from '../realtime/doorbell.ts'
import { keptOutcome, loadLedger, noteDecided, saveLedger, wasDecided, type ClientLedger, type KeptOutcome } from './client-ledger.ts'
import { CommitDraft } from './commit-draft.ts'
import type { CommitRequest, CommitResult } from './commit-request.ts'
import type { Database, Transactor } from './database.ts'
import { decideMutation, type DecideDeps, type Verdict } from './decide-mutation.ts'
import { OpenSides } from './open-sides.ts'
import { readSpaceState } from './space-state.ts'
import { writeDraft } from './write-draft.ts'
import { readAnswer, storeAnswer } from './stored-answer.ts'

export interface CommitDeps {
  readonly database: Database
  readonly app: CompiledApp
  readonly rules: Readonly<Record<string, Rule>>
  readonly epoch: string
  readonly chance: Chance
  readonly doorbell: Doorbell
}

/**
 * The one write path. Locks the space, decides each mutation, gives every accepted one the next version, and stores record,
 * change log, conflicts, rejections, answers and jobs in one transaction. Resolves when all of it is durable; then listeners are rung.
 */
export async function commit(deps: CommitDeps, scope: Scope, request: CommitRequest): Promise<CommitResult> {
  return deps.database.write((tx) => commitInto(tx, deps, scope, request))
}

async function commitInto(tx: Transactor, deps: CommitDeps, scope: Scope, request: CommitRequest): Promise<CommitResult> {
  const state = await readSpaceState(tx, scope.space, { lock: true })
  const now = deps.chance.now()
  const answered = request.idempotency === undefined ? undefined : await readAnswer(tx, scope, request.idempotency)
  if (answered !== undefined) return { epoch: deps.epoch, version: state.version, now, outcomes: [], replayed: answered }
  const client = `${scope.actor.type}:${scope.actor.id}/${request.client?.id ?? scope.device ?? ''}`
  const draft = new CommitDraft(tx, deps.app, scope, state, now)
  await preload(draft, deps.app, request.mutations)
  const decideDeps: DecideDeps = { reader: tx, app: deps.app, rules: deps.rules, scope, client, draft, now, views: new Map() }
  const ledger = request.client === undefined ? undefined : await loadLedger(tx, scope.space, client)
  const sides = await OpenSides.load(tx, { scope, client, now, nextId: () => deps.chance.id() }, request)
  const outcomes = await decideAll({ tx, decideDeps, ledger, sides }, request)
  const refused = request.atomic === true && outcomes.some((outcome) => !isAccepted(outcome))
  if (!refused) {
    await writeDraft(tx, { app: deps.app, scope, state, draft, now, events: request.events ?? [], jobs: request.jobs ?? [], nextId: () => deps.chance.id() })
    await sides.save(tx)
    if (ledger !== undefined) await saveLedger(tx, ledger, { space: scope.space, now, ackedThrough: request.client?.ackedThrough, pending: request.client?.pending })
    const recordVersion = draft.recordVersion
    if (recordVersion !== undefined) tx.afterCommit(() => deps.doorbell.ring({ space: scope.space, from: state.recordVersion, to: recordVersion }))
  }
  const result: CommitResult = { epoch: deps.epoch, version: refused ? state.version : draft.version, now, outcomes }
  if (request.idempotency !== undefined) await storeAnswer(tx, scope, request.idempotency, result)
  return result
}

interface Deciding {
  readonly tx: Transactor
  readonly decideDeps: DecideDeps
  readonly ledger: ClientLedger | undefined
  readonly sides: OpenSides
}

/** Decides the mutations in order; neighbours of one group stand or fall together. */
async function decideAll(deciding: Deciding, request: CommitRequest): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let start = 0; start < request.mutations.length; ) {
    const group = request.mutations[start]?.group
    let end = start + 1
    while (group !== undefined && request.mutations[end]?.group === group) end += 1
    outcomes.push(...(await decideGroup(deciding, request.mutations.slice(start, end))))
    start = end
  }
  return outcomes
}

async function decideGroup(deciding: Deciding, mutations: readonly PreparedMutation[]): Promise<Outcome[]> {
  const { decideDeps, sides } = deciding
  const mark = decideDeps.draft.mark()
  const decided: { mutation: PreparedMutation; verdict: Verdict | undefined; outcome: Outcome | undefined }[] = []
  for (const mutation of mutations) {
    const replay = await replayed(deciding, mutation)
    const verdict = replay === undefined ? await verdictOf(decideDeps, mutation) : undefined
    decided.push({ mutation, verdict, outcome: replay })
  }
  const failed = mutations.length > 1 && decided.some(({ verdict }) => verdict?.kind === 'conflict' || verdict?.kind === 'rejected')
  if (failed) decideDeps.draft.rollback(mark)
  return decided.map(({ mutation, verdict, outcome }) => {
    if (verdict === undefined) return outcome as Outcome
    const stands = !failed || verdict.kind === 'conflict' || verdict.kind === 'rejected'
    const final: Verdict = stands ? verdict : { kind: 'rejected', record: decideDeps.draft.current(mutation.collection, mutation.id), error: rejection('group.aborted') }
    const settled = sides.settle(mutation, final)
    remember(deciding.ledger, mutation, settled)
    return settled
  })
}

async function verdictOf(deps: DecideDeps, mutation: PreparedMutation): Promise<Verdict> {
  return 'unreadable' in mutation ? { kind: 'rejected', record: undefined, error: mutation.unreadable } : decideMutation(deps, mutation)
}

/** The earlier answer to a mutation number that was decided before; with the record as it is now. */
async function replayed({ tx, decideDeps, ledger }: Deciding, mutation: PreparedMutation): Promise<Outcome | undefined> {
  const { n } = mutation
  if (ledger === undefined || n === undefined || !wasDecided(ledger, n)) return undefined
  const kept = await keptOutcome(tx, decideDeps.scope.space, ledger, n)
  const collection = kept?.collection ?? mutation.collection
  const record = decideDeps.app.collections.has(collection) ? await decideDeps.draft.get(collection, kept?.id ?? mutation.id) : undefined
  if (kept === undefined) return { status: 'applied', n, record, replayed: true }
  switch (kept.status) {
    case 'unchanged':
    case 'merged':
      return { status: kept.status, n, record, replayed: true }
    case 'conflict':
      return { status: 'conflict', n, record, conflictId: kept.conflictId, reason: kept.reason ?? 'stale' }
    case 'rejected':
      return { status: 'rejected', n, record, error: kept.error ?? rejection('record.invalid') }
  }
}

function remember(ledger: ClientLedger | undefined, mutation: PreparedMutation, outcome: Outcome): void {
  if (ledger === undefined || mutation.n === undefined) return
  const place = { collection: mutation.collection, id: mutation.id }
  let kept: KeptOutcome | undefined
  if (outcome.status === 'conflict') kept = { status: 'conflict', ...place, reason: outcome.reason, ...(outcome.conflictId === undefined ? {} : { conflictId: outcome.conflictId }) }
  else if (outcome.status === 'rejected') kept = { status: 'rejected', ...place, error: outcome.error }
  else if (outcome.status !== 'applied') kept = { status: outcome.status, ...place }
  noteDecided(ledger, mutation.n, kept)
}

/** Reads all records that the mutations name, and those they refer to, in one statement per collection. */
async function preload(draft: CommitDraft, app: CompiledApp, mutations: readonly PreparedMutation[]): Promise<void> {
  const ids = new Map<string, string[]>()
  const add = (collection: string, id: string) => {
    const known = ids.get(collection)
    if (known === undefined) ids.set(collection, [id])
    else known.push(id)
  }
  for (const mutation of mutations) {
    if ('unreadable' in mutation) continue
    add(mutation.collection, mutation.id)
    for (const { name, ref } of app.collections.get(mutation.collection)?.refs ?? []) {
      const id = (mutation satisfies Mutation).sent[name]
      if (ref !== undefined && typeof id === 'string') add(ref, id)
    }
  }
  for (const [name, wanted] of ids) {
    const collection = app.collections.get(name)
    if (collection !== undefined) await draft.load(collection, wanted)
  }
}

function isAccepted(outcome: Outcome): boolean {
  return outcome.status !== 'conflict' && outcome.status !== 'rejected'
}
