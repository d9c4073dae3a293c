#!/usr/bin/env node
// JavaScript, unlike everything else: Node loads its TypeScript compiler (100 ms) for the first file that is in no cache, and this one never is.
import * as modules from 'node:module'
import { fileURLToPath } from 'node:url'

const NODE_MIN = 24
if (Number.parseInt(process.versions.node, 10) < NODE_MIN) {
  console.error(
    `Holdfast needs Node ${NODE_MIN} or newer; this is ${process.versions.node}. Install it, or let npm bring it: "allowScripts": { "node": true } in package.json, and then npm install node@${NODE_MIN}.`,
  )
  process.exit(1)
}

// Compiled code is kept beside the packages, where whoever can write can change the program anyway; a folder that cannot be written to is no harm.
modules.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/holdfast', import.meta.url)))
const { runCommand } = await import('./run-command.ts')

process.exitCode = await runCommand(process.argv.slice(2), {
  environment: process.env,
  folder: process.cwd(),
  isInteractive: process.stdout.isTTY,
  out: (line) => void process.stdout.write(`${line}\n`),
  tell: (line) => void process.stderr.write(`${line}\n`),
})
