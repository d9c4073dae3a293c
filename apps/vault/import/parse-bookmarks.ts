import { Parser } from 'htmlparser2'
import { inPieces } from './in-pieces.ts'
import { checkEntryCount, ImportUnreadable, type ImportEntry } from './import-entry.ts'
import { splitTags } from './split-tags.ts'

/** Elements inside each other; the parser looks through all open ones when one is closed. */
const DEPTH_MAX = 200

/** The links of a browser's bookmark file, in their order: address, title, and what the browser kept of tags and time. Folders are no entries. */
export async function parseBookmarks(html: string): Promise<ImportEntry[]> {
  const entries: ImportEntry[] = []
  const lineAt = lineCounter(html)
  let depth = 0
  let open: { entry: ImportEntry; title: string } | undefined
  const finish = () => {
    if (open === undefined) return
    const title = open.title.replaceAll(/\s+/gu, ' ').trim()
    entries.push({ ...open.entry, ...(title === '' ? {} : { title }) })
    open = undefined
    checkEntryCount(entries.length)
  }
  const parser = new Parser({
    onopentag: (name, attributes) => {
      depth += 1
      if (depth > DEPTH_MAX) throw new ImportUnreadable('This is no bookmark file: its elements are nested too deep.')
      const href = attributes['href']
      if (name !== 'a' || href === undefined || href.trim() === '') return
      finish()
      open = { entry: { line: lineAt(parser.startIndex), url: href, tags: splitTags(attributes['tags'] ?? ''), ...savedAt(attributes['add_date']) }, title: '' }
    },
    ontext: (text) => {
      if (open !== undefined) open.title += text
    },
    onclosetag: (name) => {
      depth -= 1
      if (name === 'a') finish()
    },
  })
  for await (const piece of inPieces(html)) parser.write(piece)
  parser.end()
  finish()
  return entries
}

/** Browsers write seconds, some milliseconds or microseconds. */
function savedAt(text: string | undefined): Pick<ImportEntry, 'capturedAt'> {
  if (text === undefined || !/^\d{9,16}$/.test(text)) return {}
  const seconds = Number(text)
  return { capturedAt: seconds < 1e11 ? seconds * 1_000 : seconds < 1e14 ? seconds : Math.floor(seconds / 1_000) }
}

/** Line of a place in the text, from 1. Asked for places in their order, so that the text is gone through once. */
function lineCounter(text: string): (index: number) => number {
  let line = 1
  let next = text.indexOf('\n')
  return (index) => {
    while (next !== -1 && next < index) {
      line += 1
      next = text.indexOf('\n', next + 1)
    }
    return line
  }
}
