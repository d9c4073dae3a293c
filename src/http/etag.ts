import { Problem } from '../protocol/problem.ts'

/** A record's `ETag`: its version. */
export function etagOf(version: number): string {
  return `"${version}"`
}

/** True when an `If-None-Match` names the version or anything at all (RFC 9110 §13.1.2: a weak comparison). */
export function namesVersion(ifNoneMatch: string | undefined, version: number): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etagOf(version))
}

/** What an `If-Match` insists on, without its quotes; undefined without the header and for `*`. Throws `request.invalid` for what is not one entity tag, `precondition.failed` for a weak one. */
export function requiredTag(ifMatch: string | undefined): string | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const tag = /^(W\/)?"([^"]*)"$/.exec(ifMatch.trim())
  if (tag === null) throw new Problem('request.invalid', { detail: 'if-match: send one entity tag, such as "123".', fields: [{ path: 'if-match', message: 'Send one entity tag.' }] })
  const [, weak, text = ''] = tag
  if (weak !== undefined) throw new Problem('precondition.failed')
  return text
}

/** The version that `If-Match` insists on; `any` for every one. Throws as `requiredTag`, and `precondition.failed` for a tag that no record of this server ever had. */
export function requiredVersion(ifMatch: string | undefined): number | 'any' {
  const version = requiredTag(ifMatch)
  if (version === undefined) return 'any'
  if (!/^\d{1,15}$/.test(version)) throw new Problem('precondition.failed')
  return Number(version)
}
