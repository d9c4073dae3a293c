import type { Item } from './item-fields.ts'

/** Codes that the worker and the providers give, with messages that quote nothing. */
const ownCodes = new Set(['LLM_TIMEOUT', 'LLM_API_ERROR', 'LLM_VALIDATION_ERROR', 'ENRICHMENT_ERROR', 'DAILY_LIMIT'])
const MESSAGE_CHARS_MAX = 500

/** Why a job has failed, or waits, as an item says it: whatever else went wrong is `ENRICHMENT_ERROR`, as its message may quote a text or a statement. */
export function shownReason({ code, message }: { readonly code: string; readonly message: string }): Pick<Item, 'errorCode' | 'errorMessage'> {
  if (code === 'worker_crashed') return { errorCode: 'WORKER_CRASHED', errorMessage: 'The process that worked on it ended.' }
  if (!ownCodes.has(code)) return { errorCode: 'ENRICHMENT_ERROR', errorMessage: 'The enrichment failed.' }
  return { errorCode: code, errorMessage: message.slice(0, MESSAGE_CHARS_MAX).toWellFormed() }
}
