import type { WireDevice, WireSession } from '../protocol/devices.ts'
import { Problem } from '../protocol/problem.ts'
import type { AccountDeps } from './account-deps.ts'
import type { ReportedDevice, Session } from './account-records.ts'
import type { UserPrincipal } from './principal.ts'

/** The caller's devices that may sign in without a password, each with its live sessions, the one seen last first. */
export async function listDevices(deps: AccountDeps, principal: UserPrincipal): Promise<WireDevice[]> {
  const [devices, sessions] = await deps.store.read(async (reader) => [await reader.devicesOf(principal.userId), await reader.liveSessionsOf(principal.userId, deps.chance.now())])
  const sessionsByDevice = Map.groupBy(sessions, ({ deviceId }) => deviceId)
  return devices.map((device) => wireDevice(principal, device, sessionsByDevice.get(device.id) ?? []))
}

/** Renames a device of the caller. Throws `not_found`. */
export async function renameDevice(deps: AccountDeps, principal: UserPrincipal, id: string, name: string): Promise<WireDevice> {
  return deps.store.write(async (writer) => {
    const device = await writer.findDevice(principal.userId, id)
    if (device === undefined || device.revokedAt !== null) throw new Problem('not_found')
    const renamed = { ...device, name }
    await writer.saveDevice(renamed)
    const sessions = await writer.liveSessionsOf(principal.userId, deps.chance.now())
    return wireDevice(
      principal,
      renamed,
      sessions.filter(({ deviceId }) => deviceId === id),
    )
  })
}

/** Removes a device of the caller and ends its sessions at once; again changes nothing. Throws `not_found` for one that never was. */
export async function revokeDevice(deps: AccountDeps, principal: UserPrincipal, id: string): Promise<void> {
  await deps.store.write(async (writer) => {
    const device = await writer.findDevice(principal.userId, id)
    if (device === undefined) throw new Problem('not_found')
    if (device.revokedAt === null) await writer.revokeDevice(principal.userId, id, deps.chance.now())
    await writer.endSessions({ userId: principal.userId, deviceId: id }, deps.chance.now())
  })
  deps.record({ action: 'auth.device_revoked', level: 'info', userId: principal.userId, detail: { device: id } })
  deps.onRevoked()
}

/** The caller's live sessions, the one used last first. */
export async function listSessions(deps: AccountDeps, principal: UserPrincipal): Promise<WireSession[]> {
  const sessions = await deps.store.read((reader) => reader.liveSessionsOf(principal.userId, deps.chance.now()))
  return sessions.map((session) => wireSession(principal, session))
}

/** Ends a live session of the caller at once. Throws `not_found`. */
export async function endSession(deps: AccountDeps, principal: UserPrincipal, id: string): Promise<void> {
  const ended = await deps.store.write((writer) => writer.endSessions({ userId: principal.userId, sessionId: id }, deps.chance.now()))
  if (!ended) throw new Problem('not_found')
  deps.record({ action: 'auth.session_ended', level: 'info', userId: principal.userId, detail: { session: id } })
  deps.onRevoked()
}

function wireDevice(principal: UserPrincipal, device: ReportedDevice, sessions: readonly Session[]): WireDevice {
  const { id, name, platform, appVersion, createdAt, lastSeenAt, reports } = device
  return { id, name, platform, appVersion, createdAt, lastSeenAt, current: id === principal.device, sessions: sessions.map((session) => wireSession(principal, session)), reports: [...reports] }
}

function wireSession(principal: UserPrincipal, { id, deviceId, createdAt, lastUsedAt, expiresAt }: Session): WireSession {
  return { id, deviceId, createdAt, lastUsedAt, expiresAt, current: id === principal.sessionId }
}
