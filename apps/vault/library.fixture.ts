import assert from 'node:assert/strict'
import type { Body, TestUser } from './open-test-vault.ts'

/** Captures items straight into the library, by id. Tags are given by name. */
export async function keep(user: TestUser, items: Readonly<Record<string, { readonly tags?: readonly string[]; readonly [field: string]: unknown }>>): Promise<void> {
  for (const [id, { tags, ...fields }] of Object.entries(items)) {
    const { status, body } = await user.call('POST', '/items', { id, rawText: 'text', enrich: false, ...fields })
    assert.equal(status, 201, JSON.stringify(body))
    if (tags !== undefined) assert.equal((await user.call('PATCH', `/items/${id}`, { tags })).status, 200)
  }
}

export function idsOf(body: Body): string[] {
  return (body['items'] as readonly { readonly id: string }[]).map(({ id }) => id)
}

/** Ids of a list, page by page to its end. */
export async function walk(user: TestUser, path: string, between: () => Promise<void> = async () => {}): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const { status, body } = await user.call('GET', cursor === '' ? path : `${path}&cursor=${cursor}`)
    assert.equal(status, 200, JSON.stringify(body))
    ids.push(...idsOf(body))
    const pagination = body['pagination'] as { readonly cursor: string | null; readonly hasMore: boolean }
    assert.equal(pagination.hasMore, pagination.cursor !== null)
    cursor = pagination.cursor
    await between()
  }
  return ids
}
