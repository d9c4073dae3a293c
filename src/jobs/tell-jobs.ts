import type { ClaimedJob, JobStore } from './job-store.ts'

/** Called when jobs of a space have begun, told progress, wait again or ended. */
export type TellJobs = (news: { readonly space: number; readonly ids: readonly string[] }) => void

/** A store that tells of everything that becomes of its jobs, once it is stored. */
export function tellingStore(store: JobStore, tell: TellJobs): JobStore {
  const tellOne = ({ space, id }: ClaimedJob) => tell({ space, ids: [id] })
  const toldIf = async (job: ClaimedJob, done: Promise<boolean>) => {
    const isDone = await done
    if (isDone) tellOne(job)
    return isDone
  }
  return {
    ...store,
    claim: async (claim) => {
      const claimed = await store.claim(claim)
      for (const [space, jobs] of Map.groupBy(claimed, (job) => job.space)) tell({ space, ids: jobs.map(({ id }) => id) })
      return claimed
    },
    progress: (job, progress) => toldIf(job, store.progress(job, progress)),
    putBack: (job, wait) => toldIf(job, store.putBack(job, wait)),
    end: async (job, ending) => {
      const result = await store.end(job, ending)
      if (result.kind === 'ended') tellOne(job)
      return result
    },
  }
}
