import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readTagName, tagKey } from './tag-name.ts'

test('VLT-56 A tag is named without its #, with single blanks, by 1–50 characters', () => {
  for (const [text, name] of [
    ['  #Reading ', 'Reading'],
    ['##x', 'x'],
    ['# a \t\n b ', 'a b'],
    ['𠀀'.repeat(50), '𠀀'.repeat(50)],
    ['a\u3000b', 'a b'],
    ['C#', 'C#'],
  ] as const)
    assert.equal(readTagName(text)?.name, name, text)
  for (const text of ['', ' \t', '#', ' # ', '\u00A0', 'a'.repeat(51), '𠀀'.repeat(51), 'a\0b', '\uD800']) assert.equal(readTagName(text), undefined, JSON.stringify(text))
})

test('VLT-56 Tags whose names differ in case or form alone have one key', () => {
  for (const [one, other] of [
    ['ÉTÉ', 'e\u0301te\u0301'],
    ['Ｒｅａｄ', 'read'],
    ['ﬁle', 'FILE'],
    ['東京', '東京'],
    ['ΣΑΣ', 'σας'],
    ['a\u00A0b', 'a b'],
  ] as const)
    assert.equal(tagKey(one), tagKey(other), `${one} ${other}`)
  for (const [one, other] of [
    ['été', 'ete'],
    ['й', 'и'],
    ['a-b', 'a b'],
  ] as const)
    assert.notEqual(tagKey(one), tagKey(other), `${one} ${other}`)
})

test('VLT-56 A name reads as itself, and so does a key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const tag = readTagName(text)
      if (tag === undefined) return
      assert.equal(tagKey(tag.nameKey), tag.nameKey)
      assert.ok(tag.nameKey.length <= 1_000 && tag.nameKey !== '')
      assert.deepEqual(readTagName(tag.name), tag)
      assert.deepEqual(readTagName(` #${tag.name} `), tag)
    }),
    { numRuns: 2_000 },
  )
})
