import { join } from 'node:path'
import { test } from 'node:test'
import { openTestServer } from '../testing/open-test-server.ts'
import { call, hostedDiary } from './test-calls.fixture.ts'

/** A change of it is a change for every client there is. To take one: `node --test --test-update-snapshots src/http/openapi.test.ts`. */
const FROZEN = join(import.meta.dirname, '../../docs/openapi.json')

/** Path, method, and what is said of it, down to single answers. */
const LINES_DEPTH = 4

test('HTTP-13 What requests and answers hold is what docs/openapi.json says', async (t) => {
  await using world = await openTestServer({ apps: [hostedDiary] })
  const { body } = await call(world, {}, 'GET', '/openapi.json')
  t.assert.fileSnapshot(body['paths'], FROZEN, { serializers: [(paths: unknown) => textOf(paths, LINES_DEPTH)] })
})

/** JSON with a line for each member down to a depth, so that a difference can be read. */
function textOf(value: unknown, depth: number): string {
  if (depth === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value)
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${textOf(member, depth - 1)}`)
  return `{\n${members.join(',\n')}\n}`
}
