import type { Status } from './app.ts'

/** What a person or a device does to an item. */
export type Action = 'confirm' | 'discard' | 'edit' | 'archive' | 'retry' | 'cancel' | 'restore' | 'enrich'

const allowed: Readonly<Record<Status, readonly Action[]>> = {
  ENRICHING: ['cancel'],
  READY_TO_CONFIRM: ['confirm', 'discard', 'edit'],
  FAILED: ['discard', 'retry', 'archive'],
  ARCHIVED: ['edit', 'discard'],
  DISCARDED: ['restore'],
}

/** Actions that a refusal names; asking again is offered by its own route. */
export function allowedActions(status: Status): readonly Action[] {
  return allowed[status]
}

export function isAllowed(status: Status, action: Action): boolean {
  if (action === 'enrich') return status === 'READY_TO_CONFIRM' || status === 'ARCHIVED'
  return allowed[status].includes(action)
}

/** The state behind an allowed action. `discardedFrom` is where a discarded item goes back to. */
export function stateAfter(status: Status, action: Action, discardedFrom: Status | null): Status {
  switch (action) {
    case 'confirm':
    case 'archive':
      return 'ARCHIVED'
    case 'discard':
      return 'DISCARDED'
    case 'retry':
      return 'ENRICHING'
    case 'cancel':
      return 'FAILED'
    case 'restore':
      return discardedFrom ?? 'ARCHIVED'
    case 'edit':
    case 'enrich':
      return status
  }
}

/** The action that a pushed status stands for; undefined for a move that no action makes. */
export function actionOfMove(from: Status, to: Status, discardedFrom: Status | null): Action | undefined {
  if (from === to) return undefined
  const moves: readonly Action[] = ['confirm', 'archive', 'discard', 'retry', 'cancel', 'restore']
  return moves.find((action) => isAllowed(from, action) && stateAfter(from, action, discardedFrom) === to)
}

/** Where two moves from one state lead together: discarding wins, and the client's move counts where it is still allowed. Undefined for one that is not. */
export function joinStatus(server: Status, client: Status): Status | undefined {
  if (server === 'DISCARDED') return server
  return actionOfMove(server, client, null) === undefined ? undefined : client
}
