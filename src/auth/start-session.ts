import type { DeviceInfo, SignedIn } from '../protocol/accounts.ts'
import type { AccountDeps } from './account-deps.ts'
import { accountLimits } from './account-limits.ts'
import type { Device, User } from './account-records.ts'
import type { AccountWriter } from './account-store.ts'
import { firstRefreshToken, storedToken } from './refresh-token.ts'
import { wireUser } from './wire-user.ts'

/** Opens a session of the user on a device, which is made or, after a revocation, let in again. */
export async function startSession(deps: AccountDeps, writer: AccountWriter, user: User, info: DeviceInfo = {}): Promise<SignedIn> {
  const now = deps.chance.now()
  await writer.forgetExpired(user.id, now)
  const device = await deviceOf(deps, writer, user.id, info)
  const session = { id: deps.chance.id(), userId: user.id, deviceId: device.id, createdAt: now, lastUsedAt: now, expiresAt: now + accountLimits.REFRESH_TOKEN_LIFE_MS }
  const refreshToken = firstRefreshToken(deps.chance)
  await writer.saveDevice(device)
  await writer.addSession(session)
  await writer.addRefreshToken(storedToken(refreshToken, session.id, now))
  const accessToken = await deps.accessTokens.issue({ userId: user.id, sessionId: session.id, deviceId: device.id })
  return { user: wireUser(user), device: { id: device.id }, accessToken, refreshToken, expiresIn: accountLimits.ACCESS_TOKEN_LIFE_S }
}

async function deviceOf(deps: AccountDeps, writer: AccountWriter, userId: string, info: DeviceInfo): Promise<Device> {
  const now = deps.chance.now()
  const known = info.id === undefined ? undefined : await writer.findDevice(userId, info.id)
  return {
    userId,
    id: info.id ?? deps.chance.id(),
    name: info.name ?? known?.name ?? 'Device',
    platform: info.platform ?? known?.platform ?? 'unknown',
    appVersion: info.appVersion ?? known?.appVersion ?? 'unknown',
    createdAt: known?.createdAt ?? now,
    lastSeenAt: now,
    revokedAt: null,
  }
}
