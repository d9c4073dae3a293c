import { converge } from './converge.ts'
import { makePlan, tellStep, type Step } from './plan.ts'
import { World } from './world.ts'

/** What went wrong in a world, and at which of its steps; the number of steps where it was at the end. */
export interface Failed {
  readonly error: unknown
  readonly at: number
}

/** Times that a failing plan is run again to make it shorter. */
const SHORTER_TRIES_MAX = 80

/** Plays one seed. Answers what went wrong, or undefined. */
export async function simulate(seed: number, plan: readonly Step[] = makePlan(seed)): Promise<Failed | undefined> {
  await using world = await World.open(seed)
  let at = 0
  try {
    for (const step of plan) {
      await world.take(step)
      at += 1
    }
    await converge(world)
    return undefined
  } catch (error) {
    return { error, at }
  }
}

/** The shortest story found that ends badly: steps without which it still does are left out, many at once and then fewer. */
export async function tellStory(seed: number): Promise<string> {
  let plan = makePlan(seed)
  let failed = await simulate(seed, plan)
  if (failed === undefined) return `Seed ${seed} ends well.`
  plan = plan.slice(0, failed.at + 1)
  let tries = 0
  for (let size = Math.ceil(plan.length / 2); size >= 1 && tries < SHORTER_TRIES_MAX; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < plan.length && tries < SHORTER_TRIES_MAX;) {
      const shorter = plan.toSpliced(start, size)
      const again = await simulate(seed, shorter)
      tries += 1
      if (again === undefined) start += size
      else [plan, failed] = [shorter, again]
    }
  }
  const says = failed.error instanceof Error ? (failed.error.stack ?? failed.error.message) : String(failed.error)
  return `Seed ${seed}, ${plan.length} steps:\n${plan.map(tellStep).join('\n')}\n${failed.at < plan.length ? 'then' : 'at the end'}: ${says}`
}
