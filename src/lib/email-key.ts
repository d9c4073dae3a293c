/** NFKC and lower case: two spellings of one e-mail address are one account. */
export function emailKey(email: string): string {
  return email.normalize('NFKC').toLowerCase()
}
