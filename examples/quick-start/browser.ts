import { createClient, indexedDbStore, shownState } from 'holdfast/client'
import { notes } from './app.ts'

/** A page that keeps notes with or without a network: open it in two tabs, or in two browsers. */
const url = new URLSearchParams(location.search).get('server') ?? 'http://127.0.0.1:8787'
const client = createClient({ url, app: notes, store: indexedDbStore('quick-start') })

const signIn = formOf('<input name="email" type="email" placeholder="E-mail"> <input name="password" type="password" placeholder="Password"> <button>Sign in</button>', async (text) => {
  const account = { email: text('email'), password: text('password') }
  await client.signIn(account).catch(() => client.register(account))
})
const write = formOf('<input name="title" placeholder="Title"> <button>Add</button>', async (text) => void (await client.notes.add({ title: text('title') })))
const [list, state] = [document.createElement('ul'), document.createElement('output')]
document.body.append(signIn, write, list, state)

client.notes.watch({ sort: 'title' }, (items) => list.replaceChildren(...items.map(({ data, sync }) => lineOf(`${data.title} (${sync})`))))
client.status.watch((status) => {
  signIn.hidden = status.signedIn === 'signed-in'
  state.textContent = shownState(status).kind
})

function formOf(html: string, send: (text: (name: string) => string) => Promise<void>): HTMLFormElement {
  const form = Object.assign(document.createElement('form'), { innerHTML: html })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const data = new FormData(form)
    form.reset()
    send((name) => String(data.get(name))).catch((error: unknown) => (state.textContent = String(error)))
  })
  return form
}

function lineOf(text: string): HTMLLIElement {
  return Object.assign(document.createElement('li'), { textContent: text })
}
