import type { Scope } from '../app/rule.ts'

/** What a client is called in the rows of a space: nobody can take another's name, whatever they call their client. */
export function clientName({ actor, device }: Pick<Scope, 'actor' | 'device'>, id: string | undefined): string {
  return `${actor.type}:${actor.id}/${id ?? device ?? ''}`
}
