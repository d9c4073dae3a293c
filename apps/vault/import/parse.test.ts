import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { IMPORT_ENTRIES_MAX, ImportUnreadable } from './import-entry.ts'
import { parseBookmarks } from './parse-bookmarks.ts'
import { parseCsv } from './parse-csv.ts'
import { parseLines } from './parse-lines.ts'

test('VLT-70 Text is a capture per line, blank lines are none', async () => {
  assert.deepEqual(await parseLines('one\r\n\n  \ntwo\rthree\n'), [
    { line: 1, rawText: 'one', tags: [] },
    { line: 4, rawText: 'two', tags: [] },
    { line: 5, rawText: 'three', tags: [] },
  ])
  for (const none of ['', '\n', '\r\n\r', ' ']) assert.deepEqual(await parseLines(none), [])
  await assert.rejects(parseLines('a\n'.repeat(IMPORT_ENTRIES_MAX + 1)), ImportUnreadable)
})

test('VLT-70 Of a bookmark file the links are read, with title, tags and time, wherever they stand', async () => {
  const file = `<!DOCTYPE NETSCAPE-Bookmark-file-1>
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
<TITLE>Bookmarks</TITLE><H1>Bookmarks</H1>
<DL><p>
    <DT><H3 ADD_DATE="1700000000">Folder &amp; more</H3>
    <DL><p>
        <DT><A HREF="http://example.org/?a=1&amp;b=2" ADD_DATE="1700000000" TAGS="Reading,#later" ICON="data:image/png;base64,AAAA">Caf&eacute; &lt;b&gt;
          <b>x</b></A>
        <DD>A remark
        <DT><A HREF='https://example.org/日本' ADD_DATE=1700000000123456>日本</A>
    </DL><p>
    <DT><A HREF="javascript:alert(1)"></A><A NAME="x">no link</A>
    <DT><a href="http://unclosed.example">Unclosed
    <DT><a href="http://last.example">Last`
  assert.deepEqual(await parseBookmarks(file), [
    { line: 7, url: 'http://example.org/?a=1&b=2', title: 'Café <b> x', tags: ['Reading', '#later'], capturedAt: 1_700_000_000_000 },
    { line: 10, url: 'https://example.org/日本', title: '日本', tags: [], capturedAt: 1_700_000_000_123 },
    { line: 12, url: 'javascript:alert(1)', tags: [] },
    { line: 13, url: 'http://unclosed.example', title: 'Unclosed', tags: [] },
    { line: 14, url: 'http://last.example', title: 'Last', tags: [] },
  ])
  assert.deepEqual(await parseBookmarks(''), [])
  for (const wrong of ['<b>'.repeat(1_000), '<a href=x>'.repeat(IMPORT_ENTRIES_MAX + 1)]) await assert.rejects(parseBookmarks(wrong), ImportUnreadable)
})

test('VLT-70 A table has text or url, and title and tags, by the names in its first row', async () => {
  assert.deepEqual(await parseCsv('\uFEFFTitle,URL,other, Tags \r\n"A ""q""\r\nb",http://x.example,1,"a, b;a"\r\n\r\n,,,\r\nz\r\n,"http://y.example",2,#c,more\r\n'), [
    { line: 2, url: 'http://x.example', title: 'A "q"\r\nb', tags: ['a', 'b'] },
    { line: 6, title: 'z', tags: [] },
    { line: 7, url: 'http://y.example', tags: ['#c'] },
  ])
  assert.deepEqual(await parseCsv('text\n a \nsay "hi"'), [
    { line: 2, rawText: 'a', tags: [] },
    { line: 3, rawText: 'say "hi"', tags: [] },
  ])
  assert.deepEqual(await parseCsv('text,text\none,two'), [{ line: 2, rawText: 'one', tags: [] }])
  for (const wrong of ['', 'a,b\n1,2', 'text\n"open', `text\n${'a'.repeat(1_100_000)}`, `text\n${'a\n'.repeat(IMPORT_ENTRIES_MAX + 1)}`, `text\n${'\n'.repeat(5 * IMPORT_ENTRIES_MAX)}`]) {
    await assert.rejects(parseCsv(wrong), ImportUnreadable, wrong.slice(0, 20))
  }
})

test('VLT-70 What a program writes as CSV or as bookmarks is read as it was', async () => {
  const cell = fc.string({ unit: fc.constantFrom(...Array.from('a,;"\'\n\r <>&日𠀀=')), maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ text: cell, title: cell }), { maxLength: 6 }), async (rows) => {
      const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
      const csv = ['text,title', ...rows.map(({ text, title }) => `${quoted(text)},${quoted(title)}`)].join('\n')
      const filled = rows.filter(({ text, title }) => text.trim() !== '' || title.trim() !== '')
      assert.deepEqual(
        (await parseCsv(csv)).map(({ rawText = '', title = '' }) => [rawText, title]),
        filled.map(({ text, title }) => [text.trim(), title.trim()]),
      )
      const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
      const html = rows.map(({ text, title }) => `<DT><A HREF="x${escaped(text)}">${escaped(title)}</A>\n`).join('')
      assert.deepEqual(
        (await parseBookmarks(html)).map(({ url, title = '' }) => [url, title]),
        rows.map(({ text, title }) => [`x${text}`, title.replaceAll(/\s+/gu, ' ').trim()]),
      )
    }),
    { numRuns: 200 },
  )
})

test('VLT-70 Any file is read or refused', async () => {
  const junk = fc.string({ unit: fc.constantFrom(...Array.from('<>a/!-"\'=&;, \n\r\0\uFEFFhref日'), '<a href=', '</a>', '<script>', '<!--', 'text', '\uD800'), maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(junk, async (text) => {
      assert.ok(Array.isArray(await parseBookmarks(text)))
      await parseCsv(text).catch((error: unknown) => assert.ok(error instanceof ImportUnreadable))
      await parseCsv(`text,url\n${text}`).catch((error: unknown) => assert.ok(error instanceof ImportUnreadable))
    }),
    { numRuns: 500 },
  )
})
