import type { Config } from '../server/config.ts'
import type { RunningServer } from '../server/start.ts'

/** What a person sees when the server has started. */
export function banner({ url, apps }: Pick<RunningServer, 'url' | 'apps'>, { data, databaseUrl, publicUrl }: Pick<Config, 'data' | 'databaseUrl' | 'publicUrl'>): string {
  const rows = [
    ['Address', publicUrl === undefined ? url : `${publicUrl} (listens on ${url})`],
    ['Apps', apps.map((name) => `${name} at /${name}/`).join(', ')],
    ['Data', databaseUrl === undefined ? data : `PostgreSQL on ${new URL(databaseUrl).hostname}, secrets in ${data}`],
    ['API', `${url}/docs`],
    ['Stop', 'Ctrl+C'],
  ] as const
  return ['', 'Holdfast is running.', '', ...rows.map(([name, value]) => `  ${name.padEnd(9)}${value}`), ''].join('\n')
}

/** How the first admin is made; nothing when there is one. */
export function setupLines({ setup, url }: Pick<RunningServer, 'setup' | 'url'>): readonly string[] {
  switch (setup.kind) {
    case 'done':
      return []
    case 'shown-before':
      return ['There is no admin yet. The link that was shown at an earlier start still works, or: holdfast user add --email you@example.org --admin']
    case 'link':
      return [
        'There is no admin yet. Make the first one on this machine:',
        '  holdfast user add --email you@example.org --admin',
        `or from elsewhere with this link, which works once, until ${new Date(setup.expiresAt).toISOString()}, and is not shown again:`,
        `  ${setup.url.startsWith('/') ? url : ''}${setup.url}`,
      ]
  }
}
