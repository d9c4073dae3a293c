/** What a server asks for in `Retry-After` (RFC 9110, 10.2.3): a delay in milliseconds, or a time in epoch milliseconds. */
export type RetryAfter = { readonly kind: 'delay'; readonly ms: number } | { readonly kind: 'date'; readonly at: number }

const WAIT_MS_MAX = 3_600_000

/** The forms of a date (RFC 9110, 5.6.7): the one that is written today, and the two that are still to be read. */
const dateForms: readonly { readonly form: RegExp; readonly zone: string }[] = [
  { form: /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/, zone: '' },
  { form: /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/, zone: '' },
  { form: /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/, zone: ' GMT' },
]

/** Reads the header; undefined where it is absent or neither seconds nor a date. */
export function readRetryAfter(header: string | undefined): RetryAfter | undefined {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return { kind: 'delay', ms: Number(text) * 1_000 }
  const known = dateForms.find(({ form }) => form.test(text))
  const at = known === undefined ? Number.NaN : Date.parse(`${text}${known.zone}`)
  return Number.isNaN(at) ? undefined : { kind: 'date', at }
}

/** How long to wait from now on, in milliseconds: an hour at most, and not at all for a time that is over. */
export function waitMsOf(asked: RetryAfter, now: number): number {
  const ms = asked.kind === 'delay' ? asked.ms : asked.at - now
  return Math.min(Math.max(ms, 0), WAIT_MS_MAX)
}
