import { hostApp } from 'holdfast/server'
import { journal } from './app.ts'
import { answerUnrouted } from './routes/answer-errors.ts'
import { registerRoutes } from './routes/register-routes.ts'
import { rules } from './rules.ts'
import { seed } from './seed.ts'
import { readSettings } from './settings.ts'

/** The journal as a server runs it. */
export const hosted = hostApp({
  app: journal,
  rules,
  routes: registerRoutes,
  answerError: answerUnrouted,
  checkSettings: readSettings,
  tombstonesKeptMs: (environment) => readSettings(environment).tombstoneRetentionMs,
  historyKeptMs: (environment) => readSettings(environment).historyRetentionMs,
  purgeEveryMs: (environment) => readSettings(environment).purgeIntervalMs,
  seed,
})
