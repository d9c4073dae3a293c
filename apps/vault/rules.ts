import type { Rule } from 'holdfast'
import { createItemRule } from './rules/item-rule.ts'
import { tagRule } from './rules/tag-rule.ts'
import type { VaultSettings } from './settings.ts'

/** The rules of the vault: they hold for the dialect, push, REST, the worker and imports alike. What settings and articles need, their schema says. */
export function createRules(settings: Pick<VaultSettings, 'ai'>): Readonly<Record<string, Rule>> {
  return { items: createItemRule(settings), tags: tagRule }
}
