import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fields } from '../app/conflict-policy.ts'
import { chainHash, CHAIN_START, type ChainEntry } from '../audit/chain.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { JsonValue } from '../lib/json.ts'
import { diaryApp } from '../testing/diary-app.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { decide, type Decision } from './decide.ts'
import { addDecided, isDecided } from './decided-ranges.ts'
import { joinRecords } from './join-records.ts'
import { diffLines } from './diff-lines.ts'
import { mergeLines } from './merge-lines.ts'
import type { Mutation } from './mutation.ts'

const notes = diaryApp.collections.get('notes')
const forms = diaryApp.collections.get('forms')
if (notes === undefined || forms === undefined) throw new Error('The test app has changed.')

/** Fields of a note with few values, so that sides often meet. */
const fieldsOf: fc.Arbitrary<Fields> = fc.record(
  {
    title: fc.constantFrom('a', 'b', 'c'),
    body: fc.constantFrom(null, 'one\ntwo\nthree', 'ONE\ntwo\nthree', 'one\ntwo\nTHREE'),
    tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
    visits: fc.integer({ min: 0, max: 5 }),
    best: fc.option(fc.integer({ min: 0, max: 5 })),
    first: fc.option(fc.integer({ min: 0, max: 5 })),
    score: fc.constantFrom(null, 0.5, 1.5),
    favorite: fc.boolean(),
    place: fc.constant(null),
    checkedAt: fc.constant(null),
  },
  { noNullPrototype: true },
)
const sides = fc.tuple(fieldsOf, fieldsOf, fieldsOf)

test('ENG-2 What only one side changed is that side’s, and equal sides are both', () => {
  fc.assert(
    fc.property(sides, ([base, server, client]) => {
      assert.deepEqual(joinRecords(notes, base, server, base), { kind: 'joined', fields: server, trivial: true })
      assert.deepEqual(joinRecords(notes, base, base, client), { kind: 'joined', fields: client, trivial: true })
      const still = { ...client, visits: base['visits'] ?? 0 }
      assert.deepEqual(joinRecords(notes, base, still, still), { kind: 'joined', fields: still, trivial: true })
    }),
  )
})

test('ENG-2 A join that succeeds has each field from a side that changed it, or from its policy', () => {
  fc.assert(
    fc.property(sides, ([base, server, client]) => {
      const joined = joinRecords(notes, base, server, client)
      const titles = new Set([base['title'], server['title'], client['title']])
      // Three different titles are the one thing nobody can join but a person.
      if (titles.size === 3) return assert.equal(joined.kind, 'conflict')
      if (joined.kind === 'conflict') return undefined
      const { fields } = joined
      for (const name of ['title', 'favorite', 'score'] as const) {
        const [before, theirs, mine] = [base[name], server[name], client[name]]
        assert.deepEqual(fields[name], theirs === before ? mine : theirs, name)
      }
      const number = (value: JsonValue | undefined) => Number(value)
      assert.equal(fields['visits'], number(server['visits']) + number(client['visits']) - number(base['visits']))
      const tags = (side: Fields) => side['tags'] as string[]
      for (const tag of ['x', 'y', 'z']) {
        const wasThere = tags(base).includes(tag)
        const isThere = wasThere ? tags(server).includes(tag) && tags(client).includes(tag) : tags(server).includes(tag) || tags(client).includes(tag)
        assert.equal((fields['tags'] as string[]).includes(tag), isThere, tag)
      }
    }),
  )
})

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 12 })

/** Two sides that each replace one line. */
function replacing(text: readonly string[], one: number, other: number) {
  const [first, second] = [one % text.length, other % text.length].toSorted((left, right) => left - right) as [number, number]
  const edit = (at: number, line: string) => text.map((old, index) => (index === at ? line : old)).join('\n')
  return { first, second, joined: mergeLines(text.join('\n'), edit(first, 'SERVER'), edit(second, 'CLIENT')) }
}

test('ENG-3 Edits of lines that do not meet are both in the result, those that touch are a conflict', () => {
  fc.assert(
    fc.property(lines, fc.nat(), fc.nat(), (repeated, one, other) => {
      const text = repeated.map((line, index) => `${line}${index}`)
      const { first, second, joined } = replacing(text, one, other)
      if (second - first < 2) return assert.equal(joined.kind, 'conflict')
      const value = text.map((old, index) => (index === first ? 'SERVER' : index === second ? 'CLIENT' : old)).join('\n')
      return assert.deepEqual(joined, { kind: 'joined', value })
    }),
  )
})

test('ENG-3 Where equal lines can be matched in several ways, a join still holds both edits', () => {
  fc.assert(
    fc.property(lines, fc.nat(), fc.nat(), (text, one, other) => {
      const { joined } = replacing(text, one, other)
      if (joined.kind === 'conflict') return
      const result = String(joined.value).split('\n')
      assert.ok(result.includes('SERVER') && result.includes('CLIENT'), String(joined.value))
    }),
  )
})

test('ENG-3 One side alone, equal sides and no change need no person', () => {
  fc.assert(
    fc.property(lines, lines, (base, side) => {
      const [before, after] = [base.join('\n'), side.join('\n')]
      assert.deepEqual(mergeLines(before, after, before), { kind: 'joined', value: after })
      assert.deepEqual(mergeLines(before, before, after), { kind: 'joined', value: after })
      assert.deepEqual(mergeLines(before, after, after), { kind: 'joined', value: after })
    }),
  )
})

test('ENG-3 The difference of two texts leads from one to the other, and no shorter one does', () => {
  fc.assert(
    fc.property(lines, lines, (base, side) => {
      const hunks = diffLines(base, side)
      const made: string[] = []
      let next = 0
      for (const { start, length, lines: added } of hunks) {
        assert.ok(next === 0 ? start >= 0 : start > next, 'hunks neither overlap nor touch')
        made.push(...base.slice(next, start), ...added)
        next = start + length
      }
      assert.deepEqual([...made, ...base.slice(next)], side)
      const edits = hunks.reduce((sum, { length, lines: added }) => sum + length + added.length, 0)
      assert.equal(edits, base.length + side.length - 2 * commonLines(base, side))
    }),
  )
})

/** Most lines that two texts have in common in the same order. */
function commonLines(one: readonly string[], other: readonly string[]): number {
  let above = other.map(() => 0)
  for (const line of one) {
    const row: number[] = []
    for (const [index, candidate] of other.entries()) row.push(line === candidate ? (above[index - 1] ?? 0) + 1 : Math.max(above[index] ?? 0, row[index - 1] ?? 0))
    above = row
  }
  return above.at(-1) ?? 0
}

test('ENG-3 Texts of ten thousand lines that all look the same are joined, or not, like any others', () => {
  const same = Array.from({ length: 9_900 }, () => '')
  const base = same.join('\n')
  assert.deepEqual(mergeLines(base, ['SERVER', ...same].join('\n'), [...same, 'CLIENT'].join('\n')), { kind: 'joined', value: ['SERVER', ...same, 'CLIENT'].join('\n') })
  const [thirds, halves, sevenths] = [3, 2, 7].map((step) => same.map((_, index) => (index % step === 0 ? 'x' : 'y')).join('\n'))
  assert.equal(mergeLines(thirds ?? '', halves ?? '', sevenths ?? '').kind, 'conflict')
  assert.deepEqual(mergeLines(thirds ?? '', halves ?? '', thirds ?? ''), { kind: 'joined', value: halves })
})

test('ENG-4 Ranges hold exactly the numbers that were added, in any order and batch', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 60 }))), (batches) => {
      let ranges: ReturnType<typeof addDecided> = []
      for (const batch of batches) ranges = addDecided(ranges, batch)
      const model = new Set(batches.flat())
      for (let n = 1; n <= 61; n += 1) assert.equal(isDecided(ranges, n), model.has(n), String(n))
      for (const [index, [first, last]] of ranges.entries()) {
        assert.ok(first <= last)
        if (index > 0) assert.ok(first > (ranges[index - 1]?.[1] ?? 0) + 1, 'ranges neither overlap nor touch')
      }
    }),
  )
})

test('ENG-5 A cursor comes back as it was given, and junk is none', () => {
  const cursor = fc.record(
    {
      epoch: fc.uuid(),
      space: fc.nat(),
      version: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      chain: fc.constantFrom('', '0123456789ab'),
      collections: fc.constantFrom('*', 'notes', 'forms,notes'),
      began: fc.nat(),
    },
    { noNullPrototype: true },
  )
  fc.assert(fc.property(cursor, (given) => assert.deepEqual(decodeCursor(encodeCursor(given)), given)))
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (junk) => assert.equal(decodeCursor(junk), undefined)))
})

const entries = fc.array(
  fc.record({
    at: fc.nat(),
    actor: fc.record({ type: fc.constantFrom('user' as const, 'key' as const), id: fc.string(), name: fc.string() }),
    action: fc.string(),
    entity: fc.string(),
    entityId: fc.string(),
    version: fc.nat(),
    changes: fc.dictionary(fc.string(), fc.jsonValue()).map((value) => canonicalJson(value as JsonValue)),
    detail: fc.constant('{}'),
    requestId: fc.string(),
  }),
  { minLength: 2, maxLength: 6 },
)

function headOf(chain: readonly Omit<ChainEntry, 'seq'>[]): string {
  return chain.reduce((hash, entry, index) => chainHash(hash, { ...entry, seq: index + 1 }), CHAIN_START)
}

test('ENG-6 Any change, removal or swap of entries gives another hash', () => {
  fc.assert(
    fc.property(entries, fc.nat(), fc.constantFrom('action', 'entity', 'entityId', 'requestId'), (chain, place, field) => {
      const at = place % chain.length
      const head = headOf(chain)
      assert.equal(headOf(structuredClone(chain)), head)
      assert.notEqual(headOf(chain.map((entry, index) => (index === at ? { ...entry, [field]: `${entry[field as 'action']}!` } : entry))), head)
      assert.notEqual(headOf(chain.filter((_, index) => index !== at)), head)
      const [one, other] = [chain[0], chain[1]]
      if (canonicalJson(one as unknown as JsonValue) !== canonicalJson(other as unknown as JsonValue)) assert.notEqual(headOf([other, one, ...chain.slice(2)] as typeof chain), head)
    }),
  )
})

const stored = (fields: Fields, version: number, deletedAt: number | null = null) => ({ id: 'a', version, createdAt: 1, updatedAt: 1, deletedAt, author: 'user:u', device: null, fields })

function decided(
  mutation: Partial<Mutation>,
  parts: { readonly fields?: Fields; readonly version?: number; readonly deleted?: boolean; readonly base?: Fields; readonly merges?: boolean } = {},
): Decision {
  const record = parts.fields === undefined ? undefined : stored(parts.fields, parts.version ?? 10, parts.deleted === true ? 5 : null)
  const knowledge = { base: parts.base, storedAt: 1, storedClient: 'x', client: 'y' }
  return decide({
    collection: parts.merges === false ? forms : notes,
    stored: record,
    mutation: { collection: 'notes', id: 'a', op: 'patch', base: 0, sent: {}, ...mutation },
    spaceVersion: 20,
    now: 100,
    knowledge,
  } as Parameters<typeof decide>[0])
}

test('ENG-1 The table of outcomes holds for all fields', () => {
  fc.assert(
    fc.property(sides, ([base, server, client]) => {
      const kind = (decision: Decision) => (decision.kind === 'write' ? `write ${decision.operation} ${decision.merged}` : decision.kind === 'reject' ? `reject ${decision.code}` : decision.kind)
      assert.equal(kind(decided({ op: 'put', sent: client, complete: client })), 'write create no')
      assert.equal(kind(decided({ op: 'patch', sent: client })), 'reject record.not_found')
      assert.equal(kind(decided({ op: 'delete' })), 'unchanged')
      assert.equal(kind(decided({ op: 'put', base: 10, sent: server }, { fields: server })), 'unchanged')
      assert.equal(kind(decided({ op: 'put', base: 11, sent: { ...client, title: 'other' } }, { fields: server })), 'reject base.ahead')
      assert.equal(kind(decided({ op: 'patch', base: 10, sent: { title: 'other' } }, { fields: server })), 'write update no')
      assert.equal(kind(decided({ op: 'delete', base: 10 }, { fields: server })), 'write delete no')
      assert.equal(kind(decided({ op: 'delete', base: 9 }, { fields: server, base })), 'conflict')
      assert.equal(kind(decided({ op: 'delete', base: 9 }, { fields: server, deleted: true })), 'unchanged')
      assert.equal(kind(decided({ op: 'patch', base: 9, sent: { title: 'other' } }, { fields: server, deleted: true, base })), 'conflict')
      assert.equal(kind(decided({ op: 'put', base: 10, sent: { title: 'other' } }, { fields: server, deleted: true })), 'write restore no')
      assert.equal(
        kind(decided({ op: 'patch', base: 9, sent: { title: 'other' } }, { fields: server, base: { ...base, title: server['title'] ?? '' } })).replace('joined', 'trivially'),
        'write update trivially',
      )
      assert.equal(kind(decided({ op: 'patch', base: 9, sent: { text: 'x' } }, { fields: { text: 'z' }, base: { text: 'y' }, merges: false })), 'conflict')
    }),
    { numRuns: 50 },
  )
})
