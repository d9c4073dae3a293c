import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fieldsOfBlocks, withText, type DraftBlock } from './draft-blocks.ts'

const blocks: fc.Arbitrary<DraftBlock[]> = fc.array(fc.record({ type: fc.constantFrom('TEXT', 'IMAGE', 'VIDEO', 'AUDIO'), text: fc.option(fc.string(), { nil: null }) }), { maxLength: 12 })

test('JRN-51 whatever the blocks, a text takes the place of all text and every media block stays in its order', () => {
  fc.assert(
    fc.property(blocks, fc.string({ minLength: 1 }), (before, text) => {
      const after = withText(before, text)
      const media = (all: readonly DraftBlock[]) => all.filter(({ type }) => type !== 'TEXT')
      assert.deepEqual(media(after), media(before))
      assert.deepEqual(fieldsOfBlocks(after), { content: text, blockTypes: after.map(({ type }) => type) })
      const first = before.findIndex(({ type }) => type === 'TEXT')
      assert.equal(
        after.findIndex(({ type }) => type === 'TEXT'),
        Math.max(first, 0),
      )
      assert.deepEqual(withText(after, text), after, 'the same text again changes nothing')
    }),
  )
})
