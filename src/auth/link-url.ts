import type { LinkPurpose } from './account-records.ts'

const paths: Readonly<Record<LinkPurpose, string>> = { setup: '/account/setup', reset: '/account/reset', invite: '/account/register' }

/** Address of a one-time link on the configured public URL. The token stands behind `#`: browsers send it to no server. */
export function linkUrl(publicUrl: string | undefined, purpose: LinkPurpose, token: string): string {
  return `${publicUrl ?? ''}${paths[purpose]}#token=${token}`
}
