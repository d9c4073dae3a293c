import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

test('DEMO-1 A diary goes from one device to another through a killed server, is merged, and a conflict is resolved', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [here('demo.ts'), here('sample.jsonl')])
  assert.match(stdout, /^10 entries/)
  assert.match(stdout, /all equal\./)
  assert.match(stdout, /merged, both lines are there/)
  assert.match(stdout, /[1-9]\d* requests got no answer and were made again/)
  assert.match(stdout, /a conflict on the (phone|laptop), which has what was before, its own side and the other/)
  assert.match(stdout, /kept both endings, and both devices show them/)
  assert.match(stdout, /409 CONFLICT \(stale\)/)
  assert.match(stdout, /Nothing was lost\.\n$/)
})
