import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldText } from './fold-text.ts'

test('SRCH-2 Case of every script, accents of Latin letters, full width and ligatures do not count; all else does', () => {
  const equal = [
    ['STRASSE', 'straße'],
    ['STRAẞE', 'straße'],
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
    ['e\u200B\u0301', 'é'],
    ['か\u00AD\u3099', 'が'],
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

test('SRCH-2 Every letter of every script is the same in both cases', () => {
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const letter = String.fromCodePoint(code)
    for (const other of [letter.toLowerCase(), letter.toUpperCase()]) if (other !== letter) assert.equal(foldText(other), foldText(letter), code.toString(16))
  }
})

test('SRCH-2 Folding twice is folding once', () => {
  const hostile = fc.constantFrom(...Array.from('aøßẞſİıΣς´¨ͅᾳかｶﾞ각\u00AD\u200B\u2060\uFEFF\0 \u0301\u0323\u3099\u0345'))
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ unit: fc.oneof(hostile, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 8 })), (text) => {
      const folded = foldText(text)
      assert.equal(foldText(folded), folded)
    }),
    { numRuns: 4_000 },
  )
})
