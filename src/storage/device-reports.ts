import type { DeviceInstruction, DeviceReport, KeptReport } from '../protocol/device-report.ts'
import type { Transactor } from './database.ts'

/** Reports that are kept of one device; the oldest go. */
const REPORTS_MAX = 50

export interface ReportToSave {
  readonly userId: string
  readonly device: string
  readonly app: string
  /** Public id of the space that the device names; undefined for the personal one. */
  readonly space: string | undefined
  readonly report: DeviceReport
  /** Epoch milliseconds. */
  readonly now: number
}

/** The last report of each app on a device, or `app/space` where it named one, and what the device is to be told with its next one. */
interface Heartbeat {
  readonly apps?: Readonly<Record<string, DeviceReport & { readonly at: number }>>
  readonly instructions?: Readonly<Record<string, readonly DeviceInstruction[]>>
}

/** Keeps what the device said and takes the instructions that waited for it: each is given once. */
export async function saveReport(tx: Transactor, { userId, device, app, space, report, now }: ReportToSave): Promise<readonly DeviceInstruction[]> {
  const [row] = await tx.all<{ heartbeat: string | null }>('SELECT heartbeat FROM holdfast_devices WHERE user_id = ? AND id = ?', [userId, device])
  const before: Heartbeat = row?.heartbeat === null || row === undefined ? {} : (JSON.parse(row.heartbeat) as Heartbeat)
  const { [app]: mine = [], ...others } = before.instructions ?? {}
  const reports = Object.entries({ ...before.apps, [space === undefined ? app : `${app}/${space}`]: { ...report, at: now } })
  const newest = reports.toSorted(([, one], [, other]) => other.at - one.at).slice(0, REPORTS_MAX)
  const heartbeat: Heartbeat = { apps: Object.fromEntries(newest), instructions: others }
  await tx.run('UPDATE holdfast_devices SET heartbeat = ?, last_seen_at = ? WHERE user_id = ? AND id = ?', [JSON.stringify(heartbeat), now, userId, device])
  return mine
}

/** What a device last said of itself, the newest first. */
export function keptReports(heartbeat: string | null): KeptReport[] {
  const { apps = {} } = heartbeat === null ? {} : (JSON.parse(heartbeat) as Heartbeat)
  return Object.entries(apps)
    .map(([key, report]) => {
      const [app = '', space] = key.split('/')
      return { ...report, app, space: space ?? null }
    })
    .toSorted((one, other) => other.at - one.at)
}
