import { z } from 'zod'
import type { JobCall, Poke } from './doorbell.ts'
import type { JobNews } from './job-news.ts'

/** What one process tells the others. */
export interface DoorbellMessage {
  readonly pokes: readonly Poke[]
  readonly revoked: boolean
  readonly jobs: JobCall | undefined
  readonly jobNews: readonly JobNews[]
}

/** A notification of PostgreSQL takes less than 8,000 bytes. A poke has at most 55, the id of a job 40, news of jobs 20 beside their ids. */
const POKES_MAX = 100
const STOPPED_MAX = 50
const NEWS_IDS_MAX = 150
const NEWS_MAX = 50

const payloadSchema = z.object({
  pokes: z.array(z.tuple([z.int(), z.int(), z.int()])).default([]),
  revoked: z.boolean().default(false),
  jobs: z.array(z.string()).optional(),
  news: z.array(z.tuple([z.int(), z.array(z.string()).nullable()])).default([]),
})

/** The message as payloads of as few notifications as it fits in. */
export function encodeMessage({ pokes, revoked, jobs, jobNews }: DoorbellMessage): string[] {
  const payloads: string[] = []
  const parts = Math.max(Number(revoked || jobs !== undefined), Math.ceil(pokes.length / POKES_MAX), Math.ceil((jobs?.stopped.length ?? 0) / STOPPED_MAX))
  for (let part = 0; part < parts; part += 1) {
    const some = pokes.slice(part * POKES_MAX, (part + 1) * POKES_MAX).map(({ space, from, to }) => [space, from, to])
    const stopped = jobs?.stopped.slice(part * STOPPED_MAX, (part + 1) * STOPPED_MAX)
    payloads.push(JSON.stringify({ ...(some.length === 0 ? {} : { pokes: some }), ...(revoked && part === 0 ? { revoked } : {}), ...(stopped === undefined ? {} : { jobs: stopped }) }))
  }
  for (const news of newsParts(jobNews)) payloads.push(JSON.stringify({ news: news.map(({ space, ids }) => [space, ids ?? null]) }))
  return payloads
}

/** News in parts that fit into one notification. */
function newsParts(jobNews: readonly JobNews[]): JobNews[][] {
  const parts: JobNews[][] = []
  let ids = NEWS_IDS_MAX
  for (const news of jobNews) {
    const last = parts.at(-1)
    const more = news.ids?.length ?? 0
    if (last === undefined || last.length === NEWS_MAX || ids + more > NEWS_IDS_MAX) {
      parts.push([news])
      ids = more
    } else {
      last.push(news)
      ids += more
    }
  }
  return parts
}

/** Reads a payload; undefined when it is not one of ours. */
export function decodeMessage(payload: string): DoorbellMessage | undefined {
  const parsed = payloadSchema.safeParse(jsonOf(payload))
  if (!parsed.success) return undefined
  const { pokes, revoked, jobs, news } = parsed.data
  return {
    pokes: pokes.map(([space, from, to]) => ({ space, from, to })),
    revoked,
    jobs: jobs === undefined ? undefined : { stopped: jobs },
    jobNews: news.map(([space, ids]) => ({ space, ids: ids ?? undefined })),
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
