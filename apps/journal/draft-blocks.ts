import type { Fields } from 'holdfast'

/** A part of an unfinished note. */
export interface DraftBlock {
  readonly type: string
  readonly text?: string | null
}

/** Text and block types of a draft as they follow from its blocks. */
export function fieldsOfBlocks(blocks: readonly DraftBlock[]): Pick<Fields, 'content' | 'blockTypes'> {
  const texts = blocks.filter(({ type }) => type === 'TEXT').map(({ text }) => text ?? '')
  return { content: texts.join('\n'), blockTypes: blocks.map(({ type }) => type) }
}

/** Puts one text block in the place of all text blocks, as a client that knows no blocks means it. Media blocks stay as they are. */
export function withText(blocks: readonly DraftBlock[], text: string): readonly DraftBlock[] {
  const first = blocks.findIndex(({ type }) => type === 'TEXT')
  const media = blocks.filter(({ type }) => type !== 'TEXT')
  if (first === -1 && text === '') return media
  // Everything before the first text block is media, so its place among all blocks is its place among media.
  const at = Math.max(first, 0)
  return [...media.slice(0, at), { type: 'TEXT', text }, ...media.slice(at)]
}
