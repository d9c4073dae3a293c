/** How an option is given: a text, or just its name. */
export type OptionSpec =
  | { readonly kind: 'text'; readonly placeholder: string; readonly says: string; readonly required?: boolean; readonly oneOf?: readonly string[] }
  | { readonly kind: 'flag'; readonly says: string }

/** What a command sees of the process. */
export interface Terminal {
  /** Environment variables. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The current folder. */
  readonly folder: string
  /** True when a person reads what goes to `out`. */
  readonly isInteractive: boolean
  /** One line of result on stdout. */
  out(line: string): void
  /** One line for people on stderr. */
  tell(line: string): void
}

/** A command as it was called: its options by name, and its arguments. */
export interface Call {
  readonly terminal: Terminal
  text(name: string): string | undefined
  flag(name: string): boolean
  readonly args: readonly string[]
}

/** What the command line can do, one file each. */
export interface Command {
  /** One sentence. */
  readonly summary: string
  /** More that a person should know, in full sentences. */
  readonly about?: string
  /** Names of what follows without `--`; all are required. */
  readonly args?: readonly string[]
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Answers the exit code. Throws `StartFailure` or `Problem` for what its caller can mend, `UsageError` for a wrong call. */
  run(call: Call): Promise<number>
}

/** Exit codes. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const

/** The command was called wrongly. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Options of every command that opens the data of a server. */
export const configOption = { config: { kind: 'text', placeholder: 'file', says: 'The configuration file, when it is not holdfast.config.ts in this folder.' } } as const satisfies Record<
  string,
  OptionSpec
>

/** Option of commands whose answer programs read. */
export const jsonOption = { json: { kind: 'flag', says: 'Print one line of JSON.' } } as const satisfies Record<string, OptionSpec>
