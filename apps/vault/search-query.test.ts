import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readSearchQuery } from './search-query.ts'

test('VLT-54 A query is blank-separated terms; behind a leading # only names of tags count', () => {
  const read = (text: string) => {
    const query = readSearchQuery(text)
    return query === undefined ? undefined : `${query.mode} ${query.terms.map((term) => `${term.inTags ? '#' : ''}${term.text}`).join(' ')}`
  }
  assert.equal(read(' Crème\tBRÛLÉE '), 'combined creme brulee')
  assert.equal(read('#Work  Later #x'), 'tag_only #work #later #x')
  assert.equal(read('＃Work'), 'tag_only #work')
  assert.equal(read('notes #work'), 'combined notes #work')
  assert.equal(read('# work'), 'tag_only #work')
  assert.equal(read('##'), 'tag_only ##')
  assert.equal(read('a*b "x" AND (NEAR) 100% _ - \''), 'combined a*b "x" and (near) 100% _ - \'')
  assert.equal(read('note notes notes not'), 'combined notes')
  assert.equal(read('notes #note'), 'combined notes #note')
  assert.equal(read('note #notes'), 'combined #notes')
  assert.equal(read('日 日本'), 'combined 日本')
  for (const blank of ['', ' \t\u3000', '#', ' # ', '\u200B', '# #', '\0']) assert.equal(read(blank), undefined, JSON.stringify(blank))
  assert.equal(read(Array.from({ length: 33 }, (_, index) => `w${index + 100}`).join(' ')), undefined)
})

// Compared with each other they would take an hour.
test('VLT-54 A query of far too many words is refused at once', () => {
  const words = Array.from({ length: 500_000 }, (_, index) => `w${index}`).join(' ')
  assert.equal(readSearchQuery(words), undefined)
  assert.equal(readSearchQuery('note '.repeat(50_000))?.terms.length, 1, 'the same word counts once')
})

test('VLT-54 What is left out of a query would not have found less', () => {
  const query = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '#'), maxLength: 12 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
  fc.assert(
    fc.property(query, text, text, (asked, own, tag) => {
      const read = readSearchQuery(asked)
      if (read === undefined) return
      const has = (term: string, inTags: boolean) => tag.includes(term) || (!inTags && own.includes(term))
      const words = asked.split(' ').filter((word) => word.replace(/^#/, '') !== '')
      const isTagOnly = asked.trim().startsWith('#')
      const expected = words.every((word) => has(word.replace(/^#/, ''), isTagOnly || word.startsWith('#')))
      assert.equal(
        read.terms.every((term) => has(term.text, term.inTags)),
        expected,
      )
    }),
    { numRuns: 3_000 },
  )
})
