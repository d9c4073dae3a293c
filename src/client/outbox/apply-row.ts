import type { Fields } from '../../app/conflict-policy.ts'
import { sameJson, type JsonValue } from '../../lib/json.ts'
import type { OutboxRow } from '../model.ts'

/** What a record looks like after an edit. A patch of something that is gone builds on what its writer saw. */
export function applyRow(fields: Fields | null, row: Pick<OutboxRow, 'op' | 'data' | 'baseFields'>): Fields | null {
  switch (row.op) {
    case 'delete':
      return null
    case 'put':
    case 'patch':
      return { ...(fields ?? row.baseFields), ...row.data }
  }
}

/** What a record looks like after edits in order. */
export function applyRows(fields: Fields | null, rows: readonly OutboxRow[]): Fields | null {
  return rows.reduce(applyRow, fields)
}

/** The fields of `next` that differ from `before`. A field that only `before` has is cleared with null. */
export function changedFields(before: Fields | null, next: Fields): Fields {
  const changes: Record<string, JsonValue> = {}
  for (const [name, value] of Object.entries(next)) {
    if (before === null || !sameJson(before[name] ?? null, value)) changes[name] = value
  }
  for (const name of Object.keys(before ?? {})) {
    if (!Object.hasOwn(next, name) && before?.[name] !== null) changes[name] = null
  }
  return changes
}

/** True when both say the same; a field that is absent counts as null. */
export function sameFields(left: Fields | null, right: Fields | null): boolean {
  if (left === null || right === null) return left === right
  return Object.keys(changedFields(left, right)).length === 0
}
