import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldText } from './fold-text.ts'

test('SRCH-2 Case of every script, accents of Latin letters, full width and ligatures do not count; all else does', () => {
  const equal = [
    ['STRASSE', 'straße'],
    ['Crème Brûlée', 'creme brulee'],
    ['ÅNGSTRÖM', 'angstrom'],
    ['Łódź', 'lodz'],
    ['Đà Nẵng', 'da nang'],
    ['SØREN', 'soren'],
    ['Æsir', 'aesir'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευς'],
    ['ПРИВЕТ', 'привет'],
    ['İstanbul', 'istanbul'],
    ['ＡＢＣ１２３', 'abc123'],
    ['ﬁle', 'file'],
    ['e\u0301te\u0301', 'été'],
    ['한국어', '한국어'.normalize('NFD')],
    [' a \t\n\u00A0\u3000b ', 'a b'],
    ['soft\u00ADhyphen\u200B', 'softhyphen'],
    ['Ⴀ', 'ⴀ'],
    ['𐐀', '𐐨'],
  ] as const
  for (const [one, other] of equal) assert.equal(foldText(one), foldText(other), `${one} ${other}`)
  const different = [
    ['й', 'и'],
    ['ガ', 'カ'],
    ['a-b', 'a b'],
    ['"a"', 'a'],
    ['ό', 'ο'],
  ] as const
  for (const [one, other] of different) assert.notEqual(foldText(one), foldText(other), `${one} ${other}`)
  assert.equal(foldText('a\0b\uD800c'), 'a b\uFFFDc')
})

test('SRCH-2 Folding twice is folding once', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
      const folded = foldText(text)
      assert.equal(foldText(folded), folded)
    }),
    { numRuns: 2_000 },
  )
})
