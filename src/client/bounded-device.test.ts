import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDiaryServer } from './diary.fixture.ts'
import type { Progress } from './ports.ts'

/** Heap that the device has, in MiB: less than what it sends or reads, on top of what it needs to run at all. */
const HEAP_MIB = 80
/** New objects get little room, so that the limit is one of what stays and not of how soon a busy machine clears away. */
const heapFlags = [`--max-old-space-size=${HEAP_MIB}`, '--max-semi-space-size=4']
const NOTES = Number(process.env['HOLDFAST_TEST_NOTES'] ?? 3_000)
const BYTES = 90_000_000 / NOTES

type Line = Progress | { readonly outcome: { readonly kind: string } }

/** Runs a device until it ends, or until it is killed because `enough` says so. Answers what it said. */
async function runDevice(args: readonly (string | number)[], enough: (line: Line) => boolean = () => false): Promise<readonly Line[]> {
  const script = fileURLToPath(new URL('bounded-device.fixture.ts', import.meta.url))
  const child = spawn(process.execPath, [...heapFlags, script, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>
  const lines: Line[] = []
  let killed = false
  for await (const text of createInterface(child.stdout)) {
    const line = JSON.parse(text) as Line
    lines.push(line)
    if (!killed && enough(line)) killed = child.kill('SIGKILL')
  }
  assert.deepEqual(await ended, killed ? [null, 'SIGKILL'] : [0, null])
  return lines
}

test('SDK-35 SDK-36 Notes of 90 MB leave a device with a heap of 80 MiB, and come to another that is killed in the middle and goes on where it was', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bounded-'))
  try {
    await using server = await openDiaryServer()
    await server.register('ada@example.org')
    const sent = await runDevice([server.url, join(folder, 'phone.db'), NOTES, BYTES])
    assert.deepEqual(sent.at(-1), { outcome: { kind: 'synced' } })
    const sending = sent.filter((line): line is Progress => 'phase' in line && line.phase === 'sending')
    assert.ok(sending.length >= (NOTES * BYTES) / 2_097_152, `${sending.length} batches`)
    const [row] = await server.database.read((reader) => reader.all<{ count: number }>('SELECT count(*) AS count FROM diary_notes'))
    assert.equal(Number(row?.count), NOTES)
    const laptop = [server.url, join(folder, 'laptop.db')]
    const half = await runDevice(laptop, (line) => 'phase' in line && line.phase === 'reading' && line.done >= NOTES / 2)
    assert.ok(half.every((line) => 'phase' in line))
    const rest = await runDevice(laptop)
    const reading = rest.filter((line): line is Progress => 'phase' in line && line.phase === 'reading' && line.total !== null)
    assert.ok((reading[0]?.done ?? 0) >= NOTES / 2, `it goes on from ${reading[0]?.done}`)
    assert.deepEqual(rest.at(-1), { outcome: { kind: 'synced' } })
  } finally {
    await rm(folder, { recursive: true })
  }
})
