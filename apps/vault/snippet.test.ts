import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldText } from 'holdfast/server'
import { snippetOf } from './snippet.ts'

test('VLT-54 A snippet shows the first text in which a term stands, around that place', () => {
  const long = `${'word '.repeat(100)}Crème brûlée and ${'more '.repeat(100)}`
  assert.equal(snippetOf(['A short summary.', long], ['summary']), 'A short summary.')
  const cut = snippetOf(['A short summary.', long], ['creme'])
  assert.match(cut, /^…word (word )*Crème brûlée and (more )*mor?e?…$/)
  assert.ok(cut.length <= 162)
  assert.equal(snippetOf([null, ' a\n\n b '], ['nothing']), 'a b')
  assert.equal(snippetOf([null, null], ['x']), '')
  assert.equal(snippetOf(['', '日本語'], ['本']), '日本語')
  assert.match(snippetOf([`${'x'.repeat(1_000)}İstanbul`], ['istanbul']), /İstanbul$/)
})

test('VLT-54 A snippet is well-formed, short, and holds a term that the text holds', () => {
  const character = fc.constantFrom(...Array.from('abé ßİ日𠀀ﬁ\u0301\n'))
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 700 }), fc.string({ unit: character, minLength: 1, maxLength: 8 }), (text, asked) => {
      const [term = ''] = foldText(asked).split(' ')
      const snippet = snippetOf([text], [term])
      assert.ok(snippet.isWellFormed() || !text.isWellFormed())
      assert.ok(snippet.length <= 162)
      if (term !== '' && foldText(text.replaceAll(/\s+/gu, ' ')).includes(term)) assert.ok(foldText(snippet).includes(term), JSON.stringify([text, term, snippet]))
    }),
    { numRuns: 1_000 },
  )
})
