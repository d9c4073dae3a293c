/** A signed-in account on this device. */
export interface Session {
  readonly user: { readonly id: string; readonly email: string; readonly displayName: string }
  readonly deviceId: string
  readonly accessToken: string
  readonly refreshToken: string
  /** When the access token stops, epoch milliseconds of this device's clock. */
  readonly expiresAt: number
  /** The server refused the refresh token: the person must sign in again. */
  readonly ended?: true
}
