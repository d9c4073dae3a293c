import type { Fields } from '../app/conflict-policy.ts'
import type { Mutation } from '../engine/mutation.ts'
import { sameJson } from '../lib/json.ts'

/** What a commit has taken of a record. */
export interface Accepted {
  readonly edits: readonly Mutation[]
  /** The record by now; undefined where it is deleted or never was. */
  readonly fields: Fields | undefined
}

/** A refusal is settled by a later deletion, and by edits that say all that was refused and is not in the record by now; a refused deletion by any. */
export function isSettled(operation: string, refused: Fields | undefined, { edits, fields }: Accepted): boolean {
  if (operation === 'delete' || edits.some(({ op }) => op === 'delete')) return true
  return refused !== undefined && Object.entries(refused).every(([name, value]) => edits.some(({ sent }) => Object.hasOwn(sent, name)) || sameJson(fields?.[name] ?? null, value))
}

/** The fields of a mutation that is kept as text; undefined where it was cut off or could never be read. */
export function dataIn(payload: string): Fields | undefined {
  try {
    const { data } = JSON.parse(payload) as { readonly data?: unknown }
    return typeof data === 'object' && data !== null ? (data as Fields) : undefined
  } catch {
    return undefined
  }
}
