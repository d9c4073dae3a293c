import type { CompiledApp } from '../app/compile-app.ts'
import type { Rule, Scope, StoredRecord } from '../app/rule.ts'
import type { Outcome, PreparedMutation } from '../engine/mutation.ts'
import { rejection } from '../engine/prepare-mutations.ts'
import type { Chance } from '../lib/chance.ts'
import { Problem } from '../protocol/problem.ts'
import type { Doorbell } from '../realtime/doorbell.ts'
import type { ChainHead } from './change-log.ts'
import { clientName } from './client-name.ts'
import { checkProof } from './check-proof.ts'
import { keptOutcome, loadLedger, noteDecided, saveLedger, wasDecided, type ClientLedger, type KeptOutcome } from './client-ledger.ts'
import { CommitDraft } from './commit-draft.ts'
import type { CommitRequest, CommitResult } from './commit-request.ts'
import type { Database, Transactor } from './database.ts'
import { buildOn, decideMutation, mayWrite, type DecideDeps, type Verdict } from './decide-mutation.ts'
import { changeJob, requireChangeable } from './job-change.ts'
import { enqueueJobs, stopJobs } from './job-enqueue.ts'
import { endHeld, requireHeld } from './job-lease.ts'
import { Lookback } from './lookback.ts'
import { OpenSides } from './open-sides.ts'
import { checkConflict, settleConflict } from './settle-conflict.ts'
import { preload } from './preload.ts'
import { chainStart, readSpaceState } from './space-state.ts'
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
  return deps.database.write((tx) => commitInto(tx, deps, scope, request), { space: scope.space })
}

async function commitInto(tx: Transactor, deps: CommitDeps, scope: Scope, request: CommitRequest): Promise<CommitResult> {
  const state = await readSpaceState(tx, scope.space, { lock: true })
  const now = deps.chance.now()
  const answered = request.idempotency === undefined ? undefined : await readAnswer(tx, scope, request.idempotency, now)
  const still = { epoch: deps.epoch, version: state.version, chain: chainStart(state), now, outcomes: [] }
  if (answered !== undefined) {
    requireWriter(deps.app, scope, request.mutations)
    return { ...still, replayed: answered }
  }
  const unresolved = request.resolution === undefined ? undefined : await checkConflict(tx, scope.space, request.resolution)
  if (unresolved !== undefined) return { ...still, unresolved }
  if (request.proof !== undefined) await checkProof(tx, { space: scope.space, epoch: deps.epoch, proof: request.proof }, state)
  const client = clientName(scope, request.client?.id)
  if (request.hold !== undefined) await requireHeld(tx, request.hold)
  if (request.jobChange !== undefined) await requireChangeable(tx, scope.space, request.jobChange)
  const draft = new CommitDraft(tx, deps.app, scope, state, now)
  const decideDeps: DecideDeps = { reader: tx, app: deps.app, rules: deps.rules, scope, client, draft, lookback: new Lookback(tx, scope.space), now }
  // Asked together: a database at the other end of a network answers them in one round trip.
  const [ledger, sides] = await Promise.all([
    request.client === undefined ? undefined : loadLedger(tx, scope.space, client),
    OpenSides.load(tx, { scope, client, now, nextId: () => deps.chance.id() }, request),
    preload(tx, draft, { app: deps.app, space: scope.space, mutations: request.mutations, shown: request.keepRejected }),
  ])
  const outcomes = await decideAll({ tx, decideDeps, ledger, sides, sharedPlaces: findSharedPlaces(request.mutations) }, request)
  const refused = request.atomic === true && outcomes.some((outcome) => !isAccepted(outcome))
  let freshConflictId: string | undefined
  let head: ChainHead = state
  if (!refused) {
    head = await writeDraft(tx, { app: deps.app, scope, state, draft, now, events: request.events ?? [] })
    await writeJobs(tx, deps, { scope, draft, now }, request)
    await sides.save(tx)
    if (request.resolution !== undefined) freshConflictId = await settleConflict(tx, scope.space, { resolution: request.resolution, outcome: outcomes[0], now, nextId: () => deps.chance.id() })
    if (ledger !== undefined) await saveLedger(tx, ledger, { space: scope.space, now, ackedThrough: request.client?.ackedThrough, pending: request.client?.pending })
    const recordVersion = draft.recordVersion
    if (recordVersion !== undefined) tx.afterCommit(() => deps.doorbell.ring({ space: scope.space, from: state.recordVersion, to: recordVersion }))
  }
  const result: CommitResult = {
    epoch: deps.epoch,
    version: refused ? state.version : draft.version,
    chain: chainStart(head),
    now,
    outcomes,
    ...(freshConflictId === undefined ? {} : { freshConflictId }),
  }
  if (request.idempotency !== undefined) await storeAnswer(tx, scope, request.idempotency, result)
  return result
}

/** A stored answer is for those who may make the request. Throws `access.forbidden`: a role may have fallen since, and an app may have a space share its keys. */
function requireWriter(app: CompiledApp, scope: Scope, mutations: CommitRequest['mutations']): void {
  for (const mutation of mutations) {
    if ('unreadable' in mutation) continue
    const collection = app.collections.get(mutation.collection)
    if (collection !== undefined && !mayWrite(collection, mutation, scope)) throw new Problem('access.forbidden')
  }
}

interface JobsToWrite {
  readonly scope: Scope
  readonly draft: CommitDraft
  readonly now: number
}

/** Ends, changes and adds jobs in the transaction of the write that they belong to; workers are woken behind it. */
async function writeJobs(tx: Transactor, { chance, doorbell }: CommitDeps, { scope, draft, now }: JobsToWrite, { jobs = [], stops = [], hold, jobChange }: CommitRequest): Promise<void> {
  const place = { app: scope.app, space: scope.space, now, nextId: () => chance.id() }
  if (hold?.ending !== undefined) await endHeld(tx, { ...hold, ending: hold.ending }, now)
  const changed = jobChange === undefined ? undefined : await changeJob(tx, scope.space, jobChange, now)
  const stopped = await stopJobs(tx, place, [...stops, ...draft.stops])
  const added = await enqueueJobs(tx, place, [...jobs, ...draft.jobs])
  if (changed === undefined && stopped.length === 0 && added.length === 0) return
  const ended = changed === undefined ? stopped : [...stopped, changed]
  tx.afterCommit(() => {
    doorbell.wakeJobs({ stopped: ended })
    doorbell.tellJobs({ space: scope.space, ids: [...ended, ...added] })
  })
}

interface Deciding {
  readonly tx: Transactor
  readonly decideDeps: DecideDeps
  readonly ledger: ClientLedger | undefined
  readonly sides: OpenSides
  /** Records that several mutations of the push name. */
  readonly sharedPlaces: ReadonlySet<string>
}

/** Decides the mutations in order; neighbours of one group stand or fall together. */
async function decideAll(deciding: Deciding, request: CommitRequest): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let start = 0; start < request.mutations.length;) {
    const group = request.mutations[start]?.group
    let end = start + 1
    while (group !== undefined && request.mutations[end]?.group === group) end += 1
    const first = request.mutations[start]
    if (end === start + 1 && first !== undefined) outcomes.push(await decideOne(deciding, first))
    else for (const outcome of await decideGroup(deciding, request.mutations.slice(start, end))) outcomes.push(outcome)
    start = end
  }
  return outcomes
}

async function decideOne(deciding: Deciding, mutation: PreparedMutation): Promise<Outcome> {
  const { ledger, sides, decideDeps } = deciding
  if (ledger !== undefined && isReplay(ledger, mutation)) {
    await buildOnReplay(deciding, ledger, mutation)
    return replayed(deciding, ledger, mutation)
  }
  const outcome = sides.settle(mutation, await verdictOf(decideDeps, mutation))
  remember(ledger, mutation, outcome)
  return outcome
}

async function decideGroup(deciding: Deciding, mutations: readonly PreparedMutation[]): Promise<Outcome[]> {
  const { decideDeps, ledger, sides } = deciding
  const { draft } = decideDeps
  const mark = draft.mark()
  const numbers = new Set<number>()
  const verdicts: (Verdict | 'replay')[] = []
  for (const mutation of mutations) {
    const isRepeated = ledger !== undefined && mutation.n !== undefined && numbers.has(mutation.n)
    if (mutation.n !== undefined) numbers.add(mutation.n)
    const isDecidedBefore = ledger !== undefined && isReplay(ledger, mutation)
    if (isDecidedBefore) await buildOnReplay(deciding, ledger, mutation)
    verdicts.push(isRepeated || isDecidedBefore ? 'replay' : await verdictOf(decideDeps, mutation))
  }
  const failed = verdicts.some((verdict) => verdict !== 'replay' && (verdict.kind === 'conflict' || verdict.kind === 'rejected'))
  if (failed) draft.rollback(mark)
  const outcomes: Outcome[] = []
  for (const [index, mutation] of mutations.entries()) {
    const verdict = verdicts[index]
    if (verdict === undefined || verdict === 'replay') {
      outcomes.push(await replayed(deciding, ledger as ClientLedger, mutation as NumberedMutation))
      continue
    }
    const outcome = sides.settle(mutation, failed ? givenUp(draft.current(mutation.collection, mutation.id), verdict) : verdict)
    remember(ledger, mutation, outcome)
    outcomes.push(outcome)
  }
  return outcomes
}

/** A verdict of a group that does not stand: the record is as it was before the group. */
function givenUp(record: StoredRecord | undefined, verdict: Verdict): Verdict {
  switch (verdict.kind) {
    case 'conflict':
      return { ...verdict, record, sides: { ...verdict.sides, server: record } }
    case 'rejected':
      return { ...verdict, record }
    case 'applied':
    case 'unchanged':
    case 'merged':
      return { kind: 'rejected', record, error: rejection('group.aborted') }
  }
}

async function verdictOf(deps: DecideDeps, mutation: PreparedMutation): Promise<Verdict> {
  return 'unreadable' in mutation ? { kind: 'rejected', record: undefined, error: mutation.unreadable } : decideMutation(deps, mutation)
}

type NumberedMutation = PreparedMutation & { readonly n: number }

function isReplay(ledger: ClientLedger, mutation: PreparedMutation): mutation is NumberedMutation {
  return mutation.n !== undefined && wasDecided(ledger, mutation.n)
}

/** Lets what follows in this push build on a mutation that had been decided before. */
async function buildOnReplay({ tx, decideDeps, sides, sharedPlaces }: Deciding, ledger: ClientLedger, mutation: NumberedMutation): Promise<void> {
  if ('unreadable' in mutation || !sharedPlaces.has(placeOf(mutation))) return
  const kept = await keptOutcome(tx, decideDeps.scope.space, ledger, mutation.n)
  if (kept?.status === 'conflict') sides.keepOpen(mutation)
  else if (kept?.status !== 'rejected') await buildOn(decideDeps, mutation)
}

/** The earlier answer to a mutation number that was decided before; with the record as it is now. */
async function replayed({ tx, decideDeps }: Deciding, ledger: ClientLedger, mutation: NumberedMutation): Promise<Outcome> {
  const { n } = mutation
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

function findSharedPlaces(mutations: readonly PreparedMutation[]): Set<string> {
  const [known, shared] = [new Set<string>(), new Set<string>()]
  for (const mutation of mutations) {
    const place = placeOf(mutation)
    if (known.has(place)) shared.add(place)
    known.add(place)
  }
  return shared
}

function placeOf({ collection, id }: PreparedMutation): string {
  return `${collection}/${id}`
}

function isAccepted(outcome: Outcome): boolean {
  return outcome.status !== 'conflict' && outcome.status !== 'rejected'
}
