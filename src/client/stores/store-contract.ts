import type { LocalRecord } from '../model.ts'
import { NewerStoreError, StoreClosedError, type OpenStore, type Store } from './store.ts'
import { currentFormat, type StoreFormat } from './store-format.ts'

/** A place of a test's own: opening it again with the same or another format finds what was written. */
export interface StorePlace {
  open(format: StoreFormat): OpenStore
}

export interface ContractCase {
  readonly title: string
  run(place: StorePlace): Promise<void>
}

const all = { after: '', before: '~' }
const record = (text: string): LocalRecord => ({ version: 1, shown: { text } })

/** What every store must do. Runs anywhere: a case throws where the store fails it. */
export function storeContract(): readonly ContractCase[] {
  return [
    contractCase('What was written is there, in the order of keys, after the store is opened again', async (place) => {
      const store = await place.open(currentFormat)()
      await store.write(async (writer) => {
        await writer.put('records', [
          { key: '0/b/2', value: record('two') },
          { key: '0/b/10', value: record('é😀 ten') },
          { key: '1/b/1', value: record('other') },
        ])
        await writer.put('records', [{ key: '0/b/1', value: record('one') }])
        await writer.put('records', [{ key: '0/b/2', value: record('two again') }])
      })
      await store.close()
      const again = await place.open(currentFormat)()
      const entries = await again.read((reader) => reader.range('records', { after: '0/', before: '00', limit: 10 }))
      same(
        entries.map(({ key, value }) => [key, value.shown?.['text']]),
        [
          ['0/b/1', 'one'],
          ['0/b/10', 'é😀 ten'],
          ['0/b/2', 'two again'],
        ],
      )
      same(await again.read((reader) => reader.count('records', all)), 4)
      await again.close()
    }),
    contractCase('A page of keys begins behind one key, ends before another and keeps its limit', async (place) => {
      const store = await place.open(currentFormat)()
      await store.write((writer) =>
        writer.put(
          'records',
          ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, value: record(key) })),
        ),
      )
      const keys = async (after: string, before: string, limit: number) => (await store.read((reader) => reader.range('records', { after, before, limit }))).map(({ key }) => key)
      same(await keys('a', 'e', 10), ['b', 'c', 'd'])
      same(await keys('a', 'e', 2), ['b', 'c'])
      same(await keys('x', 'z', 2), [])
      same(await store.read((reader) => reader.count('records', { after: 'a', before: 'd' })), 2)
      await store.close()
    }),
    contractCase('Several keys are read in the order asked for, with gaps for those that are not there', async (place) => {
      const store = await place.open(currentFormat)()
      await store.write((writer) =>
        writer.put('records', [
          { key: 'a', value: record('a') },
          { key: 'b', value: record('b') },
        ]),
      )
      const found = await store.read((reader) => reader.get('records', ['b', 'none', 'a']))
      same(
        found.map((value) => value?.shown?.['text'] ?? null),
        ['b', null, 'a'],
      )
      await store.write((writer) => writer.remove('records', ['a', 'none']))
      same(await store.read((reader) => reader.get('records', ['a'])), [undefined])
      await store.close()
    }),
    contractCase('JRN-53 A transaction over several tables happens whole or not at all', async (place) => {
      const store = await place.open(currentFormat)()
      await store.write((writer) => writer.put('records', [{ key: 'a', value: record('before') }]))
      await rejects(
        store.write(async (writer) => {
          await writer.put('records', [
            { key: 'a', value: record('after') },
            { key: 'b', value: record('new') },
          ])
          await writer.remove('records', ['a'])
          await writer.put('settings', [{ key: 's', value: { kind: 'numbers', n: 1 } }])
          same(await writer.get('records', ['a']), [undefined])
          same(await writer.count('records', all), 1)
          throw new Error('stop here')
        }),
        'stop here',
      )
      same(await store.read((reader) => reader.get('records', ['a', 'b'])), [record('before'), undefined])
      same(await store.read((reader) => reader.get('settings', ['s'])), [undefined])
      await store.close()
    }),
    contractCase('A transaction sees what it wrote; others see it when it is done', async (place) => {
      const store = await place.open(currentFormat)()
      const seen: (number | undefined)[] = []
      const writing = store.write(async (writer) => {
        await writer.put('records', [
          { key: 'a', value: record('a') },
          { key: 'c', value: record('c') },
        ])
        seen.push((await writer.range('records', { ...all, limit: 1 })).length, await writer.count('records', all))
        await writer.put('records', [{ key: 'b', value: record('b') }])
        same(
          (await writer.range('records', { ...all, limit: 2 })).map(({ key }) => key),
          ['a', 'b'],
        )
      })
      const reading = store.read((reader) => reader.count('records', all))
      await writing
      same(seen, [1, 2])
      same([0, 3].includes(await reading), true)
      same(await store.read((reader) => reader.count('records', all)), 3)
      await store.close()
    }),
    contractCase('Writes that come together do not overwrite each other', async (place) => {
      const store = await place.open(currentFormat)()
      const add = () =>
        store.write(async (writer) => {
          const [found] = await writer.get('settings', ['counter'])
          const n = found?.kind === 'numbers' ? found.n : 0
          await writer.put('settings', [{ key: 'counter', value: { kind: 'numbers', n: n + 1 } }])
        })
      await Promise.all(Array.from({ length: 20 }, add))
      same(await store.read((reader) => reader.get('settings', ['counter'])), [{ kind: 'numbers', n: 20 }])
      await store.close()
    }),
    contractCase('A value that was read or written is the caller’s to keep', async (place) => {
      const store = await place.open(currentFormat)()
      const shown = { tags: ['one'] }
      await store.write((writer) => writer.put('records', [{ key: 'a', value: { version: 1, shown } }]))
      shown.tags.push('two')
      same(await store.read((reader) => reader.get('records', ['a'])), [{ version: 1, shown: { tags: ['one'] } }])
      await store.close()
    }),
    contractCase('An older format is brought to the new one, step by step, once', async (place) => {
      const store = await place.open(currentFormat)()
      await store.write((writer) => writer.put('settings', [{ key: 'count', value: { kind: 'numbers', n: 1 } }]))
      await store.close()
      const newer: StoreFormat = { steps: [...currentFormat.steps, changeCount((n) => n + 10), changeCount((n) => n * 2)] }
      for (const _time of [1, 2]) {
        const opened = await place.open(newer)()
        same(await opened.read((reader) => reader.get('settings', ['count'])), [{ kind: 'numbers', n: 22 }])
        await opened.close()
      }
      await rejectsWith(place.open(currentFormat)(), NewerStoreError)
      const still = await place.open(newer)()
      same(await still.read((reader) => reader.get('settings', ['count'])), [{ kind: 'numbers', n: 22 }])
      await still.close()
    }),
    contractCase('A step that fails leaves the old format and its data', async (place) => {
      const store = await place.open(currentFormat)()
      await store.write((writer) => writer.put('records', [{ key: 'a', value: record('kept') }]))
      await store.close()
      const failing: StoreFormat = {
        steps: [
          ...currentFormat.steps,
          async (writer) => {
            await writer.remove('records', ['a'])
            throw new Error('cannot')
          },
        ],
      }
      await rejects(place.open(failing)(), 'cannot')
      const again = await place.open(currentFormat)()
      same(await again.read((reader) => reader.get('records', ['a'])), [record('kept')])
      await again.close()
    }),
    contractCase('A closed store refuses, and says so', async (place) => {
      const store = await place.open(currentFormat)()
      await store.close()
      await rejectsWith(
        store.read((reader) => reader.count('records', all)),
        StoreClosedError,
      )
      await rejectsWith(
        store.write((writer) => writer.remove('records', ['a'])),
        StoreClosedError,
      )
    }),
    contractCase('Ten thousand entries go in and are walked in pages', async (place) => {
      const store: Store = await place.open(currentFormat)()
      for (let start = 0; start < 10_000; start += 1_000) {
        await store.write(
          (writer) =>
            writer.put(
              'records',
              Array.from({ length: 1_000 }, (_, index) => ({ key: `0/n/${String(start + index).padStart(6, '0')}`, value: record(String(index)) })),
            ),
          { repeatable: true },
        )
      }
      let seen = 0
      for (let after = '0/n/'; ;) {
        const page = await store.read((reader) => reader.range('records', { after, before: '0/n0', limit: 700 }))
        seen += page.length
        const last = page.at(-1)
        if (last === undefined) break
        same(last.key > after, true)
        after = last.key
      }
      same(seen, 10_000)
      await store.close()
    }),
  ]
}

function contractCase(title: string, run: (place: StorePlace) => Promise<void>): ContractCase {
  return { title, run }
}

function changeCount(change: (n: number) => number): StoreFormat['steps'][number] {
  return async (writer) => {
    const [found] = await writer.get('settings', ['count'])
    if (found?.kind === 'numbers') await writer.put('settings', [{ key: 'count', value: { ...found, n: change(found.n) } }])
  }
}

function same(actual: unknown, expected: unknown): void {
  const [left, right] = [actual, expected].map((value) => JSON.stringify(value))
  if (left !== right) throw new Error(`Expected ${right}, found ${left}.`)
}

async function rejects(work: Promise<unknown>, message: string): Promise<void> {
  const failure = await failureOf(work)
  if (!(failure instanceof Error) || !failure.message.includes(message)) throw new Error(`Expected "${message}", found ${String(failure)}.`)
}

async function rejectsWith(work: Promise<unknown>, type: new (...args: never[]) => Error): Promise<void> {
  const failure = await failureOf(work)
  if (!(failure instanceof type)) throw new Error(`Expected ${type.name}, found ${String(failure)}.`)
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}
