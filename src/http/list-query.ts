import { z } from 'zod'
import type { CompiledCollection } from '../app/compile-app.ts'
import type { FieldKind } from '../app/inspect-field.ts'
import { isWellFormedText } from '../lib/well-formed-text.ts'
import { limits } from '../protocol/limits.ts'
import { Problem } from '../protocol/problem.ts'
import { containsPattern, type ColumnFilter, type FilterOperator } from '../storage/list-records.ts'
import type { SqlValue } from '../storage/database.ts'

/** A field that a list can be filtered and sorted by. */
export interface ListedField {
  readonly name: string
  readonly column: string
  readonly kind: FieldKind
}

/** What the platform knows of every record. */
const platformFields: readonly ListedField[] = [
  { name: 'id', column: 'id', kind: 'text' },
  { name: 'version', column: 'version', kind: 'integer' },
  { name: 'createdAt', column: 'created_at', kind: 'integer' },
  { name: 'updatedAt', column: 'updated_at', kind: 'integer' },
  { name: 'author', column: 'author', kind: 'text' },
  { name: 'device', column: 'device', kind: 'text' },
]

const operatorSchema = z.enum(['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'contains', 'null'])

/** Operators that make sense for a kind of field. */
const operatorsByKind: Readonly<Record<FieldKind, readonly FilterOperator[]>> = {
  text: operatorSchema.options,
  integer: ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'null'],
  real: ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'null'],
  boolean: ['eq', 'ne', 'in', 'null'],
  json: ['null'],
}

/** Longest value of one filter: a LIKE pattern has a bound in SQLite. */
const FILTER_CHARS_MAX = 1_000
const IN_VALUES_MAX = 100

/** Reads `field:operator:value`. Throws `request.invalid` that names the field, operator or value at fault. */
export function parseFilter(collection: CompiledCollection, text: string): ColumnFilter {
  const [, name = '', operatorName = '', value = ''] = /^([^:]*):([^:]*):(.*)$/s.exec(text) ?? []
  if (operatorName === '') throw invalid('filter', 'Write field:operator:value.')
  const field = listedField(collection, name)
  if (field === undefined) throw invalid('filter', `There is no field "${name.slice(0, 64)}".`)
  const operator = operatorSchema.safeParse(operatorName)
  if (!operator.success) throw invalid('filter', `${name}: "${operatorName.slice(0, 16)}" is no operator; use ${operatorSchema.options.join(' ')}.`)
  if (!operatorsByKind[field.kind].includes(operator.data)) throw invalid('filter', `${name}: a ${field.kind} field takes ${operatorsByKind[field.kind].join(' ')}.`)
  if (value.length > FILTER_CHARS_MAX || !isWellFormedText(value)) throw invalid('filter', `${name}: the value is at most ${FILTER_CHARS_MAX} characters of well-formed text.`)
  return { column: field.column, operator: operator.data, values: parseValues(field, operator.data, value) }
}

export interface RecordSort {
  readonly column: string
  readonly descending: boolean
  readonly field: ListedField
}

/** Reads `field` or `-field`; by id when absent. */
export function parseSort(collection: CompiledCollection, text: string | undefined): RecordSort {
  const descending = text?.startsWith('-') === true
  const name = descending ? text.slice(1) : (text ?? 'id')
  const field = listedField(collection, name)
  if (field === undefined || field.kind === 'json') throw invalid('sort', `There is no field "${name.slice(0, 64)}" to sort by.`)
  return { column: field.column, descending, field }
}

export const filterQuerySchema = z
  .union([z.string(), z.array(z.string()).max(limits.LIST_FILTERS_MAX)])
  .transform((filters) => [filters].flat())
  .default([])
  .meta({ description: 'field:operator:value, repeatable. Operators: eq ne lt lte gt gte in contains null. `in` takes values with commas between; `null` takes true or false.' })

function listedField(collection: CompiledCollection, name: string): ListedField | undefined {
  return collection.fieldByName.get(name) ?? platformFields.find((field) => field.name === name)
}

function parseValues(field: ListedField, operator: FilterOperator, value: string): SqlValue[] {
  if (operator === 'null') return [parseBoolean(field, value)]
  if (operator === 'contains') return [containsPattern(value)]
  if (operator !== 'in') return [parseValue(field, value)]
  const values = value.split(',')
  if (values.length > IN_VALUES_MAX) throw invalid('filter', `${field.name}: at most ${IN_VALUES_MAX} values.`)
  return values.map((one) => parseValue(field, one))
}

function parseValue(field: ListedField, value: string): SqlValue {
  switch (field.kind) {
    case 'text':
    case 'json':
      return value
    case 'boolean':
      return parseBoolean(field, value)
    case 'integer':
    case 'real':
      return parseNumber(field, value)
  }
}

function parseBoolean({ name }: ListedField, value: string): number {
  if (value !== 'true' && value !== 'false') throw invalid('filter', `${name}: the value is true or false.`)
  return value === 'true' ? 1 : 0
}

function parseNumber({ name, kind }: ListedField, value: string): number {
  const number = /^-?\d{1,20}(\.\d{1,20})?(e[+-]?\d{1,3})?$/i.test(value) ? Number(value) : Number.NaN
  const right = kind === 'integer' ? Number.isSafeInteger(number) : Number.isFinite(number)
  if (!right) throw invalid('filter', `${name}: the value is ${kind === 'integer' ? 'a whole number' : 'a number'}.`)
  return number
}

function invalid(path: string, message: string): Problem {
  return new Problem('request.invalid', { detail: `${path}: ${message}`, fields: [{ path, message }] })
}
