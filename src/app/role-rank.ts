import type { SpaceRole } from './collection.ts'

const ranks: Readonly<Record<SpaceRole, number>> = { viewer: 1, editor: 2, owner: 3 }

/** True when `role` may do all that `least` may. */
export function reaches(role: SpaceRole, least: SpaceRole): boolean {
  return ranks[role] >= ranks[least]
}

/** The role that may do less. */
export function lowerRole(one: SpaceRole, other: SpaceRole): SpaceRole {
  return ranks[one] <= ranks[other] ? one : other
}
