import type { RuleOutcome } from 'holdfast'

type Refusal = Extract<RuleOutcome, { readonly kind: 'refuse' }>

/** A field that only the server sets, and that says something else. */
export function readOnlyField(name: string): Refusal {
  return { kind: 'refuse', code: 'READ_ONLY_FIELD', message: `${name} is set by the server.`, fields: [{ path: `data.${name}`, message: 'Set by the server.' }] }
}

/** A move that the table of states does not have. */
export function noTransition(): Refusal {
  return { kind: 'refuse', code: 'INVALID_STATE_TRANSITION', message: 'This cannot be done in the state that the item is in.' }
}

/** Fields that do not fit, by the names that the writer used. */
export function invalidData(path: string, message: string): Refusal {
  return { kind: 'refuse', code: 'record.invalid', message: 'The record would not be valid; fields lists what is wrong.', fields: [{ path: `data.${path}`, message }] }
}
