import type { OneTimeLink } from '../protocol/accounts.ts'
import type { AccountDeps } from './account-deps.ts'
import type { LinkPurpose } from './account-records.ts'
import type { AccountWriter } from './account-store.ts'
import { hashSecret } from './hash-secret.ts'
import { linkUrl } from './link-url.ts'

export interface LinkOptions {
  readonly purpose: LinkPurpose
  readonly userId: string | null
  readonly lifeMs: number
}

/** Makes a link that works once; only the hash of its token is kept. */
export async function makeLink(deps: Pick<AccountDeps, 'chance' | 'publicUrl'>, writer: AccountWriter, { purpose, userId, lifeMs }: LinkOptions): Promise<OneTimeLink> {
  const now = deps.chance.now()
  const token = deps.chance.secret()
  const expiresAt = now + lifeMs
  await writer.addLink({ hash: hashSecret(token), purpose, userId, createdAt: now, expiresAt })
  return { token, url: linkUrl(deps.publicUrl, purpose, token), expiresAt }
}
