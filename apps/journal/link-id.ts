import { hash } from 'node:crypto'

/** The id of a link: lower-case hex SHA-256 of both ids. */
export function linkId(journalId: string, contentId: string): string {
  return hash('sha256', `${journalId}\n${contentId}`, 'hex')
}
