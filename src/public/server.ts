/** `holdfast/server`: what the routes, rules and jobs of an app use on the server. */
export { defineConfig } from '../server/config.ts'
export { hostApp, type AppToHost } from '../http/host-app.ts'
export type { HostedApp, HttpContext, HttpServer } from '../http/http-context.ts'
export { Problem, type ProblemOptions } from '../protocol/problem.ts'
export type { CommitRequest, CommitResult, StoredAnswer } from '../storage/commit-request.ts'
export type { ContractDecision, ContractSides, Mutation, Outcome, StalePolicy, WriteContract } from '../engine/mutation.ts'
export type { Reader } from '../storage/database.ts'
export type { CompiledApp, CompiledCollection } from '../app/compile-app.ts'
export { issueFields, readData } from '../engine/prepare-mutations.ts'
export { listRoutes, type RouteList } from '../http/route-list.ts'
export { requireRole } from '../http/route-scope.ts'
export { problemOf, type ProblemView } from '../http/problem-of.ts'
export { countRecords, findRecords, getRecord, getRecords, scanRecords } from '../storage/read-records.ts'
export { listTombstones } from '../storage/list-tombstones.ts'
export { forgetHistory, type Forgetting } from '../storage/forget-history.ts'
export { recordHistory, type HistoryEntry } from '../storage/record-history.ts'
export { findSuperseded, listSuperseded, type SupersededWrite } from '../storage/list-superseded.ts'
export { readHorizons, readSpaceState } from '../storage/space-state.ts'
export { findSpaceById } from '../storage/space-store.ts'
export { findSpaceOwner, type SpaceOwner } from '../storage/space-owner.ts'
export { countOpenConflicts } from '../storage/conflict-store.ts'
export { findRecordsIn } from '../storage/find-records-in.ts'
export {
  defineJob,
  type EndedJob,
  type Job,
  type JobContext,
  type JobDefinition,
  type JobDefinitions,
  type JobOptions,
  type JobOutcome,
  type JobSchedule,
  type JobWrite,
  type Lane,
} from '../jobs/define-job.ts'
export { JobFailure } from '../jobs/job-failure.ts'
export { findJob, jobsOfRecord, liveJobs, type JobRow } from '../storage/job-list.ts'
export type { JobRequest, JobTarget } from '../app/job-request.ts'
export { isLostVersion, SPACE_RESTORED } from '../storage/restored-gap.ts'
export { createGuardedFetch, type Fetched, type FetchRequest, type GuardedFetch, type GuardedFetchOptions } from '../fetch/guarded-fetch.ts'
export type { RefusalCode } from '../fetch/fetch-refusal.ts'
export { countMatches, searchRecords, type Match, type Search, type SearchPosition } from '../storage/search-records.ts'
export { listAndCountMatching, listMatching, type Matching, type MatchingPage } from '../storage/list-matching.ts'
export type { MatchingTerm } from '../storage/match-entries.ts'
export type { MatchPlace } from '../storage/match-order.ts'
export { memberCountsPart, occursPart } from '../storage/list-parts.ts'
export { phraseOf, termsOf, type SearchTerm } from '../search/search-terms.ts'
export { foldText } from '../search/fold-text.ts'
