import { ENTRIES_AT_A_STRETCH, type ImportEntry } from '../import/import-entry.ts'
import { inPieces } from '../import/in-pieces.ts'
import { vaultLimits } from '../limits.ts'
import { cutText } from '../providers/cut-text.ts'
import { blankItem, fieldsOf, itemOf, itemUrlKey } from '../rules/item-fields.ts'
import { trimText } from '../trim-text.ts'
import { keyOf, type Known } from './find-known.ts'
import { readCapture, type Capture } from './read-capture.ts'
import type { VaultContext } from './vault-context.ts'
import { VaultError } from './vault-error.ts'

/** What is to become of an entry. */
export interface Planned {
  readonly line: number
  readonly capture: Capture | VaultError
  /** Equal keys are the same thing; undefined for what cannot be captured. */
  readonly key: Known | undefined
}

export interface PlanOptions {
  readonly enrich: boolean
}

/** The captures of a file, with other work let in between: 50,000 entries take the better part of a second. */
export async function planEntries(vault: VaultContext, entries: readonly ImportEntry[], options: PlanOptions): Promise<Planned[]> {
  const planned: Planned[] = []
  for await (const some of inPieces(entries, ENTRIES_AT_A_STRETCH)) {
    for (const entry of some) planned.push(planOf(vault, entry, options))
  }
  return planned
}

/** The capture of an entry. A title that is too long is cut: that is no reason to lose a bookmark. */
function planOf(vault: VaultContext, { line, tags, title, capturedAt, ...entry }: ImportEntry, { enrich }: PlanOptions): Planned {
  const body = {
    ...entry,
    enrich,
    ...(title === undefined ? {} : { title: cutText(title, vaultLimits.TITLE_CHARS_MAX) }),
    ...(capturedAt === undefined ? {} : { capturedAt: new Date(capturedAt).toISOString() }),
  }
  try {
    const capture = readCapture(vault, body, { tagNames: tags })
    const { rawText, url } = itemOf({ ...fieldsOf(blankItem), ...capture.mutation.sent })
    return { line, capture, key: keyOf({ text: rawText === '' ? trimText(url ?? '') : rawText, urlKey: itemUrlKey({ url, rawText }) }) }
  } catch (error) {
    if (error instanceof VaultError) return { line, capture: error, key: undefined }
    throw error
  }
}
