import type { Core } from './create-core.ts'

/** How the first admin is made. A link is shown once; while it lives no other is made. */
export type SetupOffer = { readonly kind: 'done' } | { readonly kind: 'shown-before' } | { readonly kind: 'link'; readonly url: string; readonly token: string; readonly expiresAt: number }

/** Makes a link for the first admin unless there is an admin, or a link that was shown at an earlier start and still works. */
export async function offerSetup({ accounts, context }: Pick<Core, 'accounts' | 'context'>): Promise<SetupOffer> {
  const alive = await context.database.read((reader) =>
    reader.query.selectFrom('holdfast_one_time_links').select('hash').where('purpose', '=', 'setup').where('used_at', 'is', null).where('expires_at', '>', context.chance.now()).executeTakeFirst(),
  )
  // With a link alive, whether there is an admin is all that matters, and making another link would answer it.
  if (alive !== undefined) return { kind: (await hasAdmin(context)) ? 'done' : 'shown-before' }
  const link = await accounts.setupLink()
  return link === undefined ? { kind: 'done' } : { kind: 'link', ...link }
}

async function hasAdmin({ database }: Core['context']): Promise<boolean> {
  const admin = await database.read((reader) => reader.query.selectFrom('holdfast_users').select('id').where('server_role', '=', 'admin').limit(1).executeTakeFirst())
  return admin !== undefined
}
