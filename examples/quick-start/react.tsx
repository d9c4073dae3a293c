import { createRoot } from 'react-dom/client'
import { createClient, indexedDbStore, shownState } from 'holdfast/client'
import { useList, useSyncStatus } from 'holdfast/react'
import { notes } from './app.ts'

/** The same page with React: the hooks render again whenever this device, or another one, has changed something. */
const url = new URLSearchParams(location.search).get('server') ?? 'http://127.0.0.1:8787'
const client = createClient({ url, app: notes, store: indexedDbStore('quick-start') })

async function signIn(form: FormData): Promise<void> {
  const account = { email: String(form.get('email')), password: String(form.get('password')) }
  await client
    .signIn(account)
    .catch(() => client.register(account))
    .catch((error: unknown) => alert(error))
}

function Notes() {
  const list = useList(client.notes, { sort: 'title' })
  const status = useSyncStatus(client)
  return (
    <main>
      <form action={signIn} hidden={status.signedIn === 'signed-in'}>
        <input name="email" type="email" placeholder="E-mail" /> <input name="password" type="password" placeholder="Password" /> <button>Sign in</button>
      </form>
      <form action={async (form) => void (await client.notes.add({ title: String(form.get('title')) }))}>
        <input name="title" placeholder="Title" /> <button>Add</button>
      </form>
      <ul>{list.state === 'ready' && list.value.map(({ id, data, sync }) => <li key={id}>{`${data.title} (${sync})`}</li>)}</ul>
      <output>{shownState(status).kind}</output>
    </main>
  )
}

createRoot(document.body.appendChild(document.createElement('div'))).render(<Notes />)
