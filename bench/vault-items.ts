import { readFileSync } from 'node:fs'

/** A capture that is kept at once. */
export interface VaultItem {
  readonly rawText: string
  readonly title: string
  readonly summary: string
  readonly enrich: false
  readonly tagIds: readonly string[]
}

/** Sentences of one item. */
const SENTENCES_MAX = 5
const DIARY = new URL('../../shared/data/diary.jsonl', import.meta.url)

/** Items of the real text of a diary: runs of its sentences, no two alike. Few tags are on many items, and many on few. The same for every run. */
export function* makeVaultItems(count: number, tagIds: readonly string[]): Generator<VaultItem> {
  const sentences = readSentences()
  const chance = countedChance()
  for (let index = 0; index < count; index += 1) {
    const start = (index * 7) % sentences.length
    const length = 1 + chance(SENTENCES_MAX)
    const texts = Array.from({ length }, (_, offset) => sentences[(start + offset) % sentences.length] ?? '')
    const [first = ''] = texts
    const tags = Array.from({ length: 1 + chance(3) }, () => tagIds[Math.floor(tagIds.length ** (chance(1_000) / 1_000)) - 1] ?? '')
    yield { rawText: `${texts.join(' ')} (${index})`, title: first.slice(0, 60).trim(), summary: first.slice(0, 400).trim(), enrich: false, tagIds: [...new Set(tags)].filter((tag) => tag !== '') }
  }
}

/** Names for tags: words of the diary, the most frequent first. */
export function vaultTagNames(count: number): string[] {
  const frequency = new Map<string, number>()
  for (const [word] of readSentences()
    .join(' ')
    .toLowerCase()
    .matchAll(/\p{L}{3,50}/gu))
    frequency.set(word, (frequency.get(word) ?? 0) + 1)
  return [...frequency]
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, count)
    .map(([word]) => word)
}

function readSentences(): readonly string[] {
  const lines = readFileSync(DIARY, 'utf8').trim().split('\n')
  const texts = lines.map((line) => (JSON.parse(line) as { readonly text: string }).text)
  return texts.flatMap((text) => text.split(/(?<=[.;!?])\s+/u)).flatMap((text) => (text.length > 20 ? [text.slice(0, 1_500)] : []))
}

/** Whole numbers below a bound, the same ones each time (a linear congruential generator). */
function countedChance(): (bound: number) => number {
  let state = 1
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}
