import { spaceNameSchema } from '../protocol/spaces.ts'
import type { AccountDeps } from './account-deps.ts'
import type { AccountSpace } from './account-records.ts'
import type { AccountWriter } from './account-store.ts'
import { requireValid } from './require-valid.ts'

/** The organisation's space of this name, made when nobody has mentioned it before. */
export async function organisationSpace(deps: Pick<AccountDeps, 'chance'>, writer: AccountWriter, { app, name }: { readonly app: string; readonly name: string }): Promise<AccountSpace> {
  return writer.ensureSpace({ id: deps.chance.id(), app, kind: 'organisation', name: requireValid(spaceNameSchema, 'space', name), ownerId: null, now: deps.chance.now() })
}
