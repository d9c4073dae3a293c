/** A program without our client: it signs in and posts JSON, as any language can. */
export interface PlainProgram {
  /** Answers the status and the JSON of whatever the server says. */
  post<Answer>(path: string, body: object): Promise<{ readonly status: number; readonly body: Answer }>
}

export async function signInPlain(url: string, account: { readonly email: string; readonly password: string }): Promise<PlainProgram> {
  const post = async <Answer>(path: string, body: object, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) })
    return { status: answer.status, body: (await answer.json()) as Answer }
  }
  const { body } = await post<{ accessToken: string }>('/api/v1/auth/login', { ...account, device: { id: 'script', name: 'A script' } })
  return { post: (path, data) => post(path, data, { authorization: `Bearer ${body.accessToken}` }) }
}
