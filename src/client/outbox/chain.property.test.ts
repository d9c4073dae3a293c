import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { collection, encryptedCollection } from '../../app/collection.ts'
import { defineApp } from '../../app/define-app.ts'
import type { Fields } from '../../app/conflict-policy.ts'
import { mergeLines } from '../../engine/merge-lines.ts'
import { sameJson } from '../../lib/json.ts'
import { describeApp, type CollectionInfo } from '../collection-info.ts'
import type { OutboxRow } from '../model.ts'
import { acknowledge, resolve, type Answer } from './acknowledge.ts'
import { sameFields } from './apply-row.ts'
import { chainOf, recordOf, shownOf, type Chain } from './chain.ts'
import { enqueue } from './enqueue.ts'
import { ModelServer } from './model-server.ts'
import { receive } from './receive.ts'

const noteFields = z.object({ title: z.string(), body: z.string().default(''), likes: z.int().default(0), tags: z.array(z.string()).default([]), touched: z.int().default(0) })
const policies = { fields: { body: mergeLines, likes: 'counter', tags: 'set', touched: 'max' } } as const
const app = defineApp({ name: 'model', collections: { notes: collection(noteFields, policies) } })
const latestApp = defineApp({ name: 'model', collections: { notes: collection(noteFields, { ...policies, conflict: 'lastWriteWins' }) } })

type Step =
  | { readonly kind: 'edit'; readonly who: number; readonly op: 'put' | 'patch' | 'delete'; readonly field: number; readonly value: number }
  | { readonly kind: 'send' | 'pull' | 'answer' | 'lose' | 'restart' | 'mine' | 'theirs'; readonly who: number }

const who = fc.integer({ min: 0, max: 2 })
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('edit' as const),
      who,
      op: fc.constantFrom('put', 'patch', 'patch', 'patch', 'delete'),
      field: fc.integer({ min: 0, max: 4 }),
      value: fc.integer({ min: 0, max: 5 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('send', 'pull', 'answer', 'answer', 'lose', 'restart', 'mine', 'theirs'), who }) },
)

/** One device with one record: what is sent and not answered is apart from the chain, as in a request under way. */
class Device {
  chain: Chain
  #inFlight: Answer | undefined
  #nextN = 1
  readonly name: string
  readonly server: ModelServer
  /** Titles that the device has shown, and by number of a row those shown when its last edit was made. */
  readonly #shownTitles = new Set<unknown>()
  readonly #seenBy = new Map<number, ReadonlySet<unknown>>()
  #clock = 0

  constructor(name: string, server: ModelServer, info: CollectionInfo) {
    this.name = name
    this.server = server
    this.chain = chainOf(info, 'a', { record: undefined, rows: [], conflict: undefined })
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'edit':
        return this.#edit(step)
      case 'send':
        return this.#send()
      case 'answer':
        return this.#answer()
      case 'lose':
        this.#inFlight = undefined
        return
      case 'pull':
        this.#checked(receive(this.chain, this.server.read('a'), { owner: null, nextNumber: () => this.#number() }))
        return
      case 'restart': {
        this.#inFlight = undefined
        const record = recordOf(this.chain)
        this.#checked(chainOf(this.chain.collection, 'a', { record, rows: this.chain.rows, conflict: this.chain.conflict }))
        return
      }
      case 'mine':
      case 'theirs': {
        const { conflict } = this.chain
        if (conflict !== undefined) this.#checked(resolve(this.chain, step.kind === 'mine' ? conflict.mine : conflict.theirs, { n: this.#number(), at: this.#now(), owner: null }))
        return
      }
    }
  }

  settle(choice: 'mine' | 'theirs'): void {
    for (let round = 0; round < 50; round += 1) {
      this.take({ kind: 'pull', who: 0 })
      if (this.chain.conflict !== undefined) this.take({ kind: choice, who: 0 })
      if (this.chain.rows.length === 0 && this.#inFlight === undefined && this.chain.conflict === undefined) return
      this.take({ kind: 'send', who: 0 })
      this.take({ kind: 'answer', who: 0 })
    }
    assert.fail(`${this.name} does not come to rest: ${JSON.stringify(this.chain)}`)
  }

  #edit({ op, field, value }: Extract<Step, { kind: 'edit' }>): void {
    const shown = shownOf(this.chain)
    if (op === 'patch' && shown === null) return
    const edits: Fields[] = [
      { title: `${this.name}${value}` },
      { body: `one\n${this.name}${value}\nthree` },
      { likes: Number(shown?.['likes'] ?? 0) + value },
      { tags: [`t${value}`] },
      { touched: value },
    ]
    const data = edits[field] as Fields
    const whole = op === 'put' ? { data: { ...this.chain.collection.blank, title: '', ...data } } : { data }
    const before = this.chain
    const next = enqueue(before, { n: this.#number(), op, ...(op === 'delete' ? {} : whole), at: this.#now(), owner: null })
    if (next === before) return
    this.#seenBy.set(next.rows.at(-1)?.n ?? 0, new Set(this.#shownTitles))
    this.#checked(next)
    if (op !== 'delete') assert.deepEqual({ ...shownOf(next), ...data }, shownOf(next), 'an edit is seen at once')
    else assert.equal(shownOf(next), null)
  }

  #send(): void {
    const [row, ...rest] = this.chain.rows
    if (row === undefined) return
    this.#checkBase(row)
    this.chain = { ...this.chain, rows: [{ ...row, sent: true }, ...rest] }
    const before = this.server.read('a').fields?.['title']
    this.#inFlight = this.server.push(this.name, row)
    const overwritten = before !== undefined && before !== this.server.read('a').fields?.['title'] && !String(before).startsWith(this.name)
    if (overwritten && this.chain.collection.conflict === 'merge' && this.#seenBy.has(row.n)) assert.ok(this.#seenBy.get(row.n)?.has(before), `${this.name} overwrote ${String(before)} unseen`)
  }

  #answer(): void {
    if (this.#inFlight === undefined) return
    const { chain } = acknowledge(this.chain, this.#inFlight, { now: this.#now(), nextNumber: () => this.#number() })
    this.#inFlight = undefined
    this.#checked(chain)
  }

  /** A row may only name a version as its base whose content its writer saw. */
  #checkBase(row: OutboxRow): void {
    if (row.base === 0) return
    const states = this.server.history.get('a')
    const seen = states?.get(row.base)
    for (const [name, value] of Object.entries(row.baseFields ?? {})) {
      const mineToo = [...(states?.values() ?? [])].some((state) => sameJson(state?.[name] ?? null, value))
      assert.ok(sameJson(seen?.[name] ?? null, value) || mineToo, `${this.name} names base ${row.base} for what it never saw: ${name}`)
    }
  }

  #checked(next: Chain): void {
    const numbers = next.rows.map(({ n }) => n)
    assert.deepEqual(
      numbers,
      numbers.toSorted((one, other) => one - other),
      'rows stand in the order of their numbers',
    )
    assert.ok(
      next.rows.slice(1).every(({ sent }) => sent === undefined),
      'only the first row was ever sent',
    )
    for (const { n } of this.chain.rows.filter(({ sent }) => sent === true)) {
      const [before, after] = [this.chain, next].map(({ rows }) => rows.find((row) => row.n === n))
      if (after !== undefined) assert.deepEqual([after.op, after.data], [before?.op, before?.data], 'a row that was sent never changes')
    }
    this.chain = next
    this.#shownTitles.add(shownOf(next)?.['title'])
  }

  #number(): number {
    this.#nextN += 1
    return this.#nextN - 1
  }

  #now(): number {
    this.#clock += 1
    return this.#clock
  }
}

for (const [title, declared] of [
  ['merge', app],
  ['last write wins', latestApp],
] as const) {
  test(`SDK-3 JRN-55 JRN-58 Devices that edit one record and lose answers end at the server's state, whatever the order (${title})`, () => {
    const info = describeApp(declared).get('notes')
    assert.ok(info !== undefined)
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 60 }), fc.constantFrom('mine', 'theirs'), (steps, choice) => {
        const server = new ModelServer(declared)
        const devices = ['a', 'b', 'c'].map((name) => new Device(name, server, info))
        for (const step of steps) devices[step.who]?.take(step)
        for (const device of devices) device.settle(choice)
        for (const device of devices) device.settle('theirs')
        for (const device of devices) {
          assert.deepEqual([device.chain.rows, device.chain.conflict], [[], undefined])
          assert.ok(sameFields(shownOf(device.chain), server.read('a').fields), `${device.name} ends elsewhere`)
        }
      }),
      { numRuns: 3_000 },
    )
  })
}

test('SDK-4 JRN-58 What a device wrote is in the history of the server, or in a conflict that was shown', () => {
  const info = describeApp(app).get('notes')
  assert.ok(info !== undefined)
  fc.assert(
    fc.property(fc.array(stepArbitrary, { maxLength: 40 }), (steps) => {
      const server = new ModelServer(app)
      const devices = ['a', 'b', 'c'].map((name) => new Device(name, server, info))
      let unique = 0
      // Only titles, each of them once, and no choice that gives one up.
      for (const step of steps) {
        if (step.kind === 'mine' || step.kind === 'theirs') continue
        const device = devices[step.who]
        if (step.kind !== 'edit') device?.take(step)
        else if (step.op !== 'delete') device?.take({ ...step, field: 0, value: (unique += 1) })
      }
      const wanted = devices.map(({ chain }) => shownOf(chain)?.['title'])
      for (const device of devices) {
        for (let round = 0; round < 50 && (round === 0 || device.chain.rows.length > 0); round += 1) {
          for (const kind of ['pull', 'send', 'answer'] as const) device.take({ kind, who: 0 })
        }
      }
      const written = [...(server.history.get('a')?.values() ?? [])].map((state) => state?.['title'])
      for (const [index, title] of wanted.entries()) {
        const { conflict } = devices[index]?.chain ?? {}
        assert.ok(title === undefined || written.includes(title) || conflict?.mine?.['title'] === title, `${String(title)} disappeared`)
      }
    }),
    { numRuns: 3_000 },
  )
})

test('SDK-33 Edits of an encrypted record that touch different fields are joined on the device', () => {
  const sealed = defineApp({ name: 'model', collections: { notes: encryptedCollection(noteFields) } })
  const info = describeApp(sealed).get('notes')
  assert.ok(info?.encrypted)
  const base = { title: 'a', body: '', likes: 0, tags: [], touched: 0 }
  let chain = chainOf(info, 'a', { record: { version: 5, shown: base }, rows: [], conflict: undefined })
  chain = enqueue(chain, { n: 1, op: 'patch', data: { title: 'mine' }, at: 1, owner: null })
  const record = { version: 9, fields: { ...base, body: 'theirs' }, origin: undefined }
  const { chain: next } = acknowledge(chain, { kind: 'conflict', record }, { now: 2, nextNumber: () => 2 })
  assert.equal(next.conflict, undefined)
  assert.deepEqual(shownOf(next), { ...base, title: 'mine', body: 'theirs' })
  assert.deepEqual(
    next.rows.map(({ n, base: on, data }) => [n, on, data]),
    [[2, 9, { title: 'mine' }]],
  )
  const met = acknowledge(chain, { kind: 'conflict', record: { ...record, fields: { ...base, title: 'theirs' } } }, { now: 2, nextNumber: () => 2 })
  assert.equal(met.chain.conflict?.theirs?.['title'], 'theirs')
})

test('SDK-29 An edit keeps what it was made on when a restore puts it on less; a later one has not seen that and is a row of its own', () => {
  const info = describeApp(app).get('notes')
  assert.ok(info !== undefined)
  const [left, lost] = [
    { title: 'left', body: '', likes: 0, tags: [], touched: 0 },
    { title: 'lost', body: '', likes: 0, tags: [], touched: 0 },
  ]
  const before = enqueue(chainOf(info, 'a', { record: { version: 5, shown: lost }, rows: [], conflict: undefined }), { n: 1, op: 'patch', data: { touched: 7 }, at: 1, owner: null })
  const restored = receive(before, { version: 3, fields: left, origin: undefined }, { owner: null, nextNumber: () => 9 })
  const after = enqueue(restored, { n: 2, op: 'patch', data: { title: 'on what is left' }, at: 2, owner: null })
  assert.deepEqual(
    after.rows.map(({ n, base, saw, data }) => [n, base, saw, data]),
    [
      [1, 3, 5, { touched: 7 }],
      [2, 3, undefined, { title: 'on what is left' }],
    ],
  )
  // Another restore, to an older state, takes none of it away.
  assert.equal(receive(after, { version: 2, fields: left, origin: undefined }, { owner: null, nextNumber: () => 9 }).rows[0]?.saw, 5)
})
