/** `holdfast`: what a declaration of an app is made of. Safe in browsers. */
export { collection, encryptedCollection, ref, type Collection, type CollectionAccess, type CollectionOptions, type SpaceRole } from '../app/collection.ts'
export { defineApp, type App, type RecordOf, type SpaceKind } from '../app/define-app.ts'
export type { ConflictPolicy, FieldJoin, FieldPolicy, Fields, Joined, RecordJoin } from '../app/conflict-policy.ts'
export type { Rule, RuleContext, RuleMutation, RuleOperation, RuleOutcome, Scope, SpaceReader, StoredRecord } from '../app/rule.ts'
export { mergeLines } from '../engine/merge-lines.ts'
export { idSchema } from '../protocol/ids.ts'
export { sameJson, type JsonValue } from '../lib/json.ts'
export { canonicalJson } from '../lib/canonical-json.ts'
