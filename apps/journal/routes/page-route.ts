import type { HttpServer } from 'holdfast/server'

/** The page has no script and no style of its own. */
const contentSecurityPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Journal server</title>
</head>
<body>
<main>
<h1>Journal server</h1>
<p>This is the server of a personal journal. It keeps notes, journals, drafts and their files in step between your devices.</p>
<p>Apps talk to it over HTTP: <a href="/docs">read how</a>.</p>
</main>
</body>
</html>
`

/** Says to a person with a browser what this server is. */
export function registerPageRoute(server: HttpServer): void {
  server.get('/', { schema: { hide: true } }, (_request, reply) => reply.header('content-security-policy', contentSecurityPolicy).type('text/html; charset=utf-8').send(page))
}
