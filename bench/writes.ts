import type { Work } from './compare.ts'
import { makeNotes } from './note.ts'

/** Records per round: enough for a second or so at each batch size. */
const recordsByBatch: ReadonlyMap<number, number> = new Map([
  [1, 2_000],
  [50, 20_000],
  [1_000, 50_000],
])

/** Durable pushes by 1, 10 and 50 devices in batches of 1, 50 and 1,000, and single creates by REST. */
export function writeWorks(scale: number): Work[] {
  const pushes = [1, 50, 1_000].flatMap((batch) => [1, 10, 50].map((devices) => pushWork(devices, batch, Math.round((recordsByBatch.get(batch) ?? 0) * scale))))
  return [...pushes, ...[1, 10, 50].map((devices) => createWork(devices, Math.round(2_000 * scale)))]
}

function pushWork(devices: number, batch: number, wanted: number): Work {
  const records = Math.max(batch, Math.ceil(wanted / batch) * batch)
  return {
    name: `push ${devices} × ${batch}`,
    devices,
    operations: records,
    calls: (target) => {
      const notes = makeNotes(records)
      return Array.from({ length: records / batch }, (_, index) => target.push(notes.slice(index * batch, (index + 1) * batch), index % devices))
    },
    raw: { kind: 'insert', count: records, batch },
  }
}

function createWork(devices: number, records: number): Work {
  return {
    name: `create ${devices} ×`,
    devices,
    operations: records,
    calls: (target) => makeNotes(records).map((note, index) => target.create(note, index % devices)),
    raw: { kind: 'insert', count: records, batch: 1 },
  }
}
