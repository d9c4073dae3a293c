/** One event of a stream. */
export interface SentEvent<Data> {
  readonly id: string
  readonly event: string
  readonly data: Data
}

export interface EventReader<Data> {
  readonly status: number
  /** The next event; undefined when the server has ended the stream. */
  next(): Promise<SentEvent<Data> | undefined>
  close(): void
}

/** Opens a stream of events and reads it event by event. */
export async function readEvents<Data>(url: string, headers: Readonly<Record<string, string>>): Promise<EventReader<Data>> {
  const abort = new AbortController()
  const answer = await fetch(url, { headers, signal: abort.signal })
  const chunks = answer.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  const next = async (): Promise<SentEvent<Data> | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end !== -1) {
        const block = text.slice(0, end)
        text = text.slice(end + 2)
        if (block.startsWith(':')) continue
        const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
        return { id: fields.get('id') ?? '', event: fields.get('event') ?? '', data: JSON.parse(fields.get('data') ?? '{}') as Data }
      }
      const chunk = await chunks?.read()
      if (chunk === undefined || chunk.done) return undefined
      text += decoder.decode(chunk.value, { stream: true })
    }
  }
  return { status: answer.status, next, close: () => abort.abort() }
}
