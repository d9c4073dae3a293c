import { useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createClient, createMemoryShelf, memoryStore } from 'holdfast/client'
import { useConflicts, useList, useRecord, useSyncStatus } from 'holdfast/react'
import { diary } from '../client/diary-app.fixture.ts'

const shelf = createMemoryShelf()
const client = createClient({ url: location.origin, app: diary, store: memoryStore(shelf) })
let renders = 0

function Page() {
  const [id, setId] = useState('n1')
  const [least, setLeast] = useState(0)
  const one = useRecord(client.notes, id)
  const list = useList(client.notes, { where: ({ likes }) => likes >= least, sort: 'title' }, [least])
  const status = useSyncStatus(client)
  const conflicts = useConflicts(client)
  renders += 1
  return (
    <main>
      <p id="one">{one.state === 'ready' ? (one.value?.data.title ?? 'none') : one.state}</p>
      <p id="list">{list.state === 'ready' ? list.value.map(({ data }) => data.title).join(',') : list.state}</p>
      <p id="pending">{status.pending}</p>
      <p id="conflicts">{conflicts.state === 'ready' ? conflicts.value.length : conflicts.state}</p>
      <button id="other" onClick={() => setId('n2')} />
      <button id="liked" onClick={() => setLeast(1)} />
    </main>
  )
}

const element = document.createElement('div')
document.body.append(element)
const root = createRoot(element)
root.render(<Page />)
Object.assign(globalThis, { client, unmount: () => root.unmount(), renders: () => renders })
