import type { Fields, RuleContext } from 'holdfast'
import type { Status } from '../app.ts'
import type { Action } from '../transitions.ts'

/** What a route means by a write to an item, besides the fields that it sends. */
export interface UserIntent {
  readonly by: 'user'
  /** Undefined for a capture. */
  readonly action?: Action
  /** Names of tags that the item carries afterwards, in place of `tagIds`. */
  readonly tagNames?: readonly string[]
  /** Ids for tags that have to be made: at least one for each name and each accepted suggestion. */
  readonly newTagIds?: readonly string[]
  readonly addedTagIds?: readonly string[]
  readonly removedTagIds?: readonly string[]
  readonly acceptedSuggestionIds?: readonly string[]
  readonly rejectedSuggestionIds?: readonly string[]
  /** Take what waits in `proposal`, or drop it. */
  readonly acceptProposal?: boolean
  /** Attempts of the job that the action ends. */
  readonly attempts?: number
}

/** What the worker writes is meant for items in these states; elsewhere it changes nothing, or is refused where it is strict. */
export interface WorkerIntent {
  readonly by: 'worker'
  readonly from: readonly Status[]
  readonly strict?: boolean
}

/** A merge of tags, a deletion: what they write needs no leave of the state machine. */
export interface ServerIntent {
  readonly by: 'tags' | 'item'
}

/** The daily clean-up: only what has been DISCARDED since before this time. */
export interface TrashIntent {
  readonly by: 'trash'
  readonly before: number
}

export type Intent = UserIntent | WorkerIntent | TrashIntent | ServerIntent

/** As a mutation's context. */
export function intentContext(intent: Intent): Fields {
  return { intent: JSON.parse(JSON.stringify(intent)) as Fields }
}

/** Who writes; undefined for push and REST. Only routes, rules and jobs can give a context. */
export function intentOf({ context }: RuleContext): Intent | undefined {
  return context?.['intent'] as unknown as Intent | undefined
}
