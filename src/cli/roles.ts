import type { SpaceRole } from '../app/collection.ts'

/** Roles as the command line takes them: `admin` is what some apps call the owner of a space. */
export const roleNames = ['viewer', 'editor', 'owner', 'admin'] as const

/** The role that a name stands for. */
export function roleOf(name: string): SpaceRole {
  return name === 'viewer' || name === 'editor' ? name : 'owner'
}
