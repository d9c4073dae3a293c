import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestVault, type Body } from '../open-test-vault.ts'
import type { SuggestedTag } from '../providers/provider.ts'
import { readTagName } from '../tag-name.ts'
import { answerWrite } from './item-writes.ts'

const answered = { itemId: 'i', jobId: 'j', attempt: 1, rawText: 'text', provider: { name: 'local', model: null }, sourceType: 'NOTE', now: 0 } as const

/** Suggestions that an answer with these tags makes, in a first run and in one that asks again. */
function suggestedOf(names: readonly string[]): readonly (readonly SuggestedTag[])[] {
  const enrichment = { kind: 'done', title: 't', summary: 's', tags: names.map((name) => ({ name, confidence: 0.5 })), sourceType: 'NOTE' } as const
  return (['first', 'again'] as const).map((run) => {
    const [mutation] = answerWrite({ ...answered, run }, enrichment).mutations ?? []
    const data = (mutation?.op === 'patch' ? mutation.data : undefined) ?? {}
    const holder = (run === 'first' ? data : data['proposal']) as unknown as { readonly suggestedTags: readonly SuggestedTag[] }
    return holder.suggestedTags
  })
}

test('VLT-26 Whatever a provider suggests, what no tag may be called is left out, and the rest has the name that the tag gets, each once', () => {
  const names = ['###', ' # # ', '', ' ', '\u0085', 'x'.repeat(51), '𠀀'.repeat(51), 'nul \0', 'half \ud800', '#river', 'River', ' two\n words ', '---', '🎉', '𠀀'.repeat(50)]
  for (const suggested of suggestedOf(names)) {
    assert.deepEqual(
      suggested.map(({ name }) => name),
      ['river', 'two words', '---', '🎉', '𠀀'.repeat(50)],
    )
    for (const { name } of suggested) assert.equal(readTagName(name)?.name, name)
  }
})

test('VLT-26 VLT-40 All that is suggested for a text of marks alone can be accepted', async () => {
  await using world = await openTestVault({ environment: { HOLDFAST_VAULT_AI: 'local' } })
  const user = await world.signUp()
  const texts = ['###', '# # #', '#', '---', '***', '…', '¨', '#\u200b#', '🎉', '#'.repeat(60), `${'#'.repeat(49)} !`]
  const captured = (await user.call('POST', '/items/batch', { items: texts.map((rawText, index) => ({ id: `i${index}`, rawText })) })).body
  assert.equal((captured['results'] as readonly Body[]).length, texts.length)
  while ((await world.server.runner.runOnce()) > 0) await world.server.runner.settled()
  for (const [index, text] of texts.entries()) {
    const found = (await user.call('GET', `/items/i${index}`)).body
    assert.equal(found['status'], 'READY_TO_CONFIRM', text)
    const suggested = found['suggestedTags'] as readonly Body[]
    const { status, body } = await user.call('PATCH', `/items/i${index}`, { action: 'confirm', acceptedSuggestionIds: suggested.map(({ id }) => String(id)) })
    assert.deepEqual([status, (body['tags'] as readonly Body[] | undefined)?.map(({ name }) => name)], [200, suggested.map(({ name }) => name)], text)
  }
})
