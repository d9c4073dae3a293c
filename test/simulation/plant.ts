import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { plantedBugs, type PlantedBug } from './planted-bugs.ts'
import { simulateMany } from './simulate-many.ts'

/**
 * `node test/simulation/plant.ts [part of a name …]`: plants each bug in a copy of the sources, plays seeds until one fails, and prints
 * which seed caught it and after how long. The working tree stays as it is.
 */

/** Seeds that are played for one bug. */
const SEEDS_MAX = Number(process.env['SIM_SEEDS'] ?? 1_000)
/** A bug may make a world that never ends; that is a catch as well. Real milliseconds. */
const SEED_MS_MAX = 60_000

export interface Caught {
  readonly bug: PlantedBug
  /** Undefined when no seed has failed. */
  readonly seed: number | undefined
  readonly says: string
  readonly seconds: number
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Plants bugs one after the other; hands on what became of each. */
export async function plant(bugs: readonly PlantedBug[], tell: (caught: Caught) => void): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), 'holdfast-planted-'))
  try {
    for (const name of ['src', 'test/simulation', 'package.json']) await cp(join(root, name), join(copy, name), { recursive: true })
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
    for (const bug of bugs) tell(await catchOne(copy, bug))
  } finally {
    await rm(copy, { recursive: true })
  }
}

async function catchOne(copy: string, bug: PlantedBug): Promise<Caught> {
  const path = join(copy, bug.file)
  const right = await readFile(path, 'utf8')
  await writeFile(path, planted(right, bug))
  try {
    const started = performance.now()
    const [first] = await simulateMany({ first: 0, count: SEEDS_MAX, failuresMax: 1, seedMsMax: SEED_MS_MAX, program: join(copy, 'test/simulation/seed-process.ts') })
    return { bug, seed: first?.seed, says: (first?.says ?? '').split('\n')[0] ?? '', seconds: (performance.now() - started) / 1_000 }
  } finally {
    await writeFile(path, right)
  }
}

/** The text with the bug in it. Throws where its place is not found, or not the only one. */
export function planted(text: string, { name, file, right, wrong }: PlantedBug): string {
  const parts = text.split(right)
  if (parts.length !== 2) throw new Error(`"${name}": ${file} has its line ${parts.length - 1} times.`)
  return parts.join(wrong)
}

if (import.meta.main) {
  const wanted = process.argv.slice(2)
  const bugs = plantedBugs.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  console.log('| bug | caught by | after |\n|---|---|---|')
  await plant(bugs, ({ bug, seed, says, seconds }) => {
    console.log(`| ${bug.name} | ${seed === undefined ? '**nothing**' : `seed ${seed}: ${says}`} | ${seconds.toFixed(0)} s |`)
  })
}
