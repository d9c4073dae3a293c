import type { z } from 'zod'
import { isWellFormedText } from '../lib/well-formed-text.ts'

/** Adds an issue for every text, at any depth, that has U+0000 or an unpaired surrogate: neither database keeps them unchanged. */
export function refuseNestedNul(value: unknown, context: z.RefinementCtx): void {
  if (!isClean(value)) visit(value, [], context)
}

/** The usual case, without keeping account of the place. */
function isClean(value: unknown): boolean {
  if (typeof value === 'string') return isWellFormedText(value)
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isClean)
  for (const key in value) if (!isWellFormedText(key) || !isClean((value as Readonly<Record<string, unknown>>)[key])) return false
  return true
}

function visit(value: unknown, path: readonly (string | number)[], context: z.RefinementCtx): void {
  if (typeof value === 'string') {
    if (!isWellFormedText(value)) context.addIssue({ code: 'custom', path: [...path], message: 'Text must be well-formed Unicode without U+0000.' })
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visit(item, [...path, index], context)
    return
  }
  for (const [key, item] of Object.entries(value)) {
    if (!isWellFormedText(key)) context.addIssue({ code: 'custom', path: [...path], message: 'A key must be well-formed Unicode without U+0000.' })
    visit(item, [...path, key], context)
  }
}
