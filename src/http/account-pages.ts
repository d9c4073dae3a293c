import { Problem } from '../protocol/problem.ts'
import type { HttpServer } from './http-context.ts'

interface AccountPage {
  readonly title: string
  readonly lead: string
  readonly button: string
  readonly done: string
  /** Whether the person says who they are; a reset link knows that. */
  readonly asksEmail: boolean
}

/** What each link that the server gives out leads to. */
const pages: Readonly<Record<string, AccountPage>> = {
  setup: {
    title: 'Make the first admin',
    lead: 'This server has no admin yet. Whoever fills this in becomes the first.',
    button: 'Make the account',
    done: 'Done. You are the admin of this server; sign in with this address from any app.',
    asksEmail: true,
  },
  register: {
    title: 'Accept the invitation',
    lead: 'You have been invited to this server.',
    button: 'Make the account',
    done: 'Done. Sign in with this address from any app.',
    asksEmail: true,
  },
  reset: {
    title: 'Choose a new password',
    lead: 'All devices of the account are signed out when the password is changed.',
    button: 'Change the password',
    done: 'Done. Sign in with the new password.',
    asksEmail: false,
  },
}

/** `/account/{setup,register,reset}`: the pages behind one-time links. The token stays behind `#` and is sent only with the form. */
export function registerAccountPages(server: HttpServer): void {
  server.get('/account/:page', { schema: { hide: true } }, async (request, reply) => {
    const name = (request.params as { readonly page: string }).page
    if (name === 'account.js') return reply.type('text/javascript; charset=utf-8').send(script)
    if (name === 'account.css') return reply.type('text/css; charset=utf-8').send(style)
    const page = Object.hasOwn(pages, name) ? pages[name] : undefined
    if (page === undefined) throw new Problem('not_found')
    return reply.type('text/html; charset=utf-8').send(pageText(name, page))
  })
}

function pageText(name: string, { title, lead, button, done, asksEmail }: AccountPage): string {
  const email = asksEmail ? '<label>E-mail address <input name="email" type="email" autocomplete="username" required maxlength="254" autofocus></label>' : ''
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} · Holdfast</title><link rel="stylesheet" href="/account/account.css"></head>
<body>
<main>
<h1>${title}</h1>
<p>${lead}</p>
<form data-page="${name}">
${email}
<label>Password <input name="password" type="password" autocomplete="new-password" required minlength="8" maxlength="256"></label>
<label>The same password again <input name="again" type="password" autocomplete="new-password" required></label>
<button>${button}</button>
</form>
<p id="message" role="status" data-done="${done}"></p>
<noscript>This page needs JavaScript.</noscript>
</main>
<script src="/account/account.js"></script>
</body>
</html>
`
}

const script = `'use strict'
const form = document.querySelector('form')
const message = document.getElementById('message')
const token = new URLSearchParams(location.hash.slice(1)).get('token')
const tell = (text, isError) => {
  message.textContent = text
  message.className = isError ? 'error' : 'done'
}
if (!token) {
  tell('This link is not complete. Copy it again, with everything behind #.', true)
  form.hidden = true
}
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const { email, password, again } = Object.fromEntries(new FormData(form))
  if (password !== again) return tell('The two passwords differ.', true)
  const page = form.dataset.page
  const body = page === 'reset' ? { token, newPassword: password } : page === 'register' ? { email, password, invite: token } : { token, email, password }
  const button = form.querySelector('button')
  button.disabled = true
  tell('One moment…', false)
  try {
    const answer = await fetch('/api/v1/auth/' + page, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    if (answer.ok) {
      form.hidden = true
      history.replaceState(null, '', location.pathname)
      return tell(message.dataset.done, false)
    }
    const problem = await answer.json()
    tell(problem.detail, true)
  } catch {
    tell('The server cannot be reached. Try again.', true)
  } finally {
    button.disabled = false
  }
})
`

const style = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; }
main { width: min(26rem, 100vw - 3rem); padding: 2rem 0; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
form { display: grid; gap: 1rem; margin: 1.5rem 0; }
form[hidden] { display: none; }
label { display: grid; gap: .25rem; }
input, button { font: inherit; padding: .6rem .75rem; border-radius: .4rem; border: 1px solid color-mix(in srgb, CanvasText 35%, Canvas); background: Canvas; color: CanvasText; }
button { background: #1d5fbf; border-color: #1d5fbf; color: #fff; font-weight: 600; cursor: pointer; }
button:disabled { opacity: .6; cursor: default; }
:focus-visible { outline: 3px solid #6aa5f5; outline-offset: 2px; }
.error { color: light-dark(#b3261e, #ffb4ab); }
`
