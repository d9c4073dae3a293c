import { hash, verify } from '@node-rs/argon2'
import { createGate } from '../lib/create-gate.ts'
import { Problem } from '../protocol/problem.ts'
import { accountLimits } from './account-limits.ts'

export interface PasswordCost {
  readonly memoryKib: number
  readonly passes: number
}

/** OWASP's advice for Argon2id, above its minimum. */
export const passwordCost: PasswordCost = { memoryKib: 65_536, passes: 2 }

export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** Without a hash the same work is done and the answer is false. */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>
}

const RETRY_AFTER_S = 5

/** Argon2id on libuv's threads, a few at a time: a flood of sign-ins can take neither all memory nor all threads. */
export function createPasswordHasher(cost: PasswordCost = passwordCost): PasswordHasher {
  const gate = createGate({ runningMax: accountLimits.HASHES_MAX, waitingMax: accountLimits.HASHES_WAITING_MAX, full: tooMany })
  const options = { memoryCost: cost.memoryKib, timeCost: cost.passes, parallelism: 1 }
  const nobodysHash = `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`
  return {
    hash: (password) => gate(() => hash(password, options)),
    verify: (passwordHash, password) => gate(() => verify(passwordHash ?? nobodysHash, password)).then((matches) => matches && passwordHash !== undefined),
  }
}

function tooMany(): Problem {
  return new Problem('rate.limited', { detail: 'Too many sign-ins at once.', retryAfterS: RETRY_AFTER_S })
}
