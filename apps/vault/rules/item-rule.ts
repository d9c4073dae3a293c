import type { Rule, RuleContext, RuleOutcome } from 'holdfast'
import type { VaultSettings } from '../settings.ts'
import { firstLineTitle } from '../first-line.ts'
import { captureItem } from './capture-item.ts'
import { changeItem } from './change-item.ts'
import { chooseTags } from './choose-tags.ts'
import { enrichJob, enrichTarget } from './enrich-job.ts'
import { blankItem, captureFields, fieldsOf, itemOf, itemUrlKey, needsTitle, sameField, serverFields } from './item-fields.ts'
import { intentOf } from './item-intent.ts'
import { noTransition, readOnlyField } from './refusals.ts'

/** Items: captured, moved along the table of states, and gone for good with what hangs on them. */
export function createItemRule(settings: Pick<VaultSettings, 'ai'>): Rule {
  return (context) => {
    switch (context.operation) {
      case 'create':
        return captureItem(context, settings)
      case 'update':
        return changeItem(context)
      case 'delete':
        return deleteItem(context)
      case 'restore':
        return returnItem(context)
    }
  }
}

async function deleteItem(context: RuleContext): Promise<RuleOutcome> {
  const { id, reader } = context
  if (!isTrash(context)) return noTransition()
  const article = await reader.get('articles', id)
  const hasArticle = article !== undefined && article.deletedAt === null
  return { kind: 'accept', also: hasArticle ? [{ collection: 'articles', id, op: 'delete' }] : [], stops: [enrichTarget(id)] }
}

/** What the clean-up found may have been brought back since. */
function isTrash(context: RuleContext): boolean {
  const intent = intentOf(context)
  if (intent?.by !== 'trash') return true
  const { status, discardedAt } = itemOf(context.stored?.fields ?? {})
  return status === 'DISCARDED' && discardedAt !== null && discardedAt < intent.before
}

/** An item that was deleted for good and is put back by a device that still has it: as it was, with what the device wrote. */
async function returnItem({ id, stored, next, now, reader }: RuleContext): Promise<RuleOutcome> {
  const before = itemOf(stored?.fields ?? {})
  const wanted = itemOf(next)
  for (const name of ['status', ...serverFields, ...captureFields] as const) {
    if (!sameField(wanted[name], before[name]) && !sameField(wanted[name], blankItem[name])) return readOnlyField(name)
  }
  // Tags were deleted and merged while it was away.
  const tags = await chooseTags(reader, { carried: [], ids: wanted.tagIds, strict: false, newIds: [], now })
  if (tags.kind === 'refuse') return tags
  const { summary } = wanted
  const rawText = wanted.rawText === '' ? before.rawText : wanted.rawText
  const title = wanted.title ?? (needsTitle(before.status) ? firstLineTitle(rawText) : null)
  const urlKey = itemUrlKey({ url: before.url, rawText })
  return { kind: 'accept', fields: fieldsOf({ ...before, rawText, title, summary, urlKey, tagIds: [...tags.tagIds] }), also: tags.also, jobs: before.status === 'ENRICHING' ? [enrichJob(id)] : [] }
}
