import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRetryAfter, waitMsOf } from './retry-after.ts'

const NOW = Date.UTC(1994, 10, 6, 8, 49, 37)

test('VLT-44 Retry-After is a number of seconds or a date in one of the forms of HTTP, and at most an hour', () => {
  for (const [header, waitMs] of [
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['3600', 3_600_000],
    ['3601', 3_600_000],
    ['9'.repeat(400), 3_600_000],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 60_000],
    ['Sunday, 06-Nov-94 08:50:37 GMT', 60_000],
    ['Sun Nov  6 08:50:37 1994', 60_000],
    ['Sun, 06 Nov 1994 09:49:38 GMT', 3_600_000],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 3_600_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['Sun, 06 Nov 1994 08:49:36 GMT', 0],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ] as const) {
    const asked = readRetryAfter(header)
    assert.equal(asked === undefined ? undefined : waitMsOf(asked, NOW), waitMs, header)
  }
})

test('VLT-44 A Retry-After that is neither says nothing', () => {
  for (const header of [
    undefined,
    '',
    ' ',
    '-1',
    '+7',
    '1.5',
    '1e3',
    '0x10',
    '٣',
    '7, 8',
    'soon',
    'NaN',
    'Infinity',
    '1994-11-06T08:50:37Z',
    'Nov 6 1994',
    'Sun, 06 Nov 1994 08:50:37',
    'Sun, 06 Nov 1994 08:50:37 PST',
    'Sun, 06 Nov 1994 08:50:37 GMT (x)',
    'Sun, 06 Foo 1994 08:50:37 GMT',
    'Sun, 99 Nov 1994 08:50:37 GMT',
    'Sun, 06 Nov 1994 99:50:37 GMT',
    'Sun, 06 Nov 1994 08:50:37 GMT, Sun, 06 Nov 1994 08:50:37 GMT',
  ])
    assert.equal(readRetryAfter(header), undefined, header)
})
