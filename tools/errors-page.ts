import { errorCodes, rejectionCodes } from '../src/protocol/error-codes.ts'

/** Text of docs/ERRORS.md: every code that a client can see, and what it does about it. */
export function errorsPage(): string {
  const problems = Object.entries(errorCodes).map(([code, { status, retry, says }]) => `| \`${code}\` | ${status} | ${retry} | ${says} |`)
  const rejections = Object.entries(rejectionCodes).map(([code, says]) => `| \`${code}\` | ${says} |`)
  return `# Errors

Made from \`src/protocol/error-codes.ts\` by \`node tools/write-errors.ts\`.

## Refused requests

\`application/problem+json\` with \`code\`, \`detail\`, \`requestId\`, and \`fields\` where fields are at fault. What a client does: \`never\` sends it
again, sends it again \`after-change\` or \`after-sign-in\`, \`later\` (as \`Retry-After\` says), \`smaller\`, or after a \`resync\`.

| code | status | again | meaning |
|---|---|---|---|
${problems.join('\n')}

## Rejected mutations

A push is answered 200; the \`error.code\` of one mutation says why it was rejected. Rules of an app have codes of their own.

| code | meaning |
|---|---|
${rejections.join('\n')}
`
}
