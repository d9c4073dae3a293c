import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { createGuardedAgent } from './guarded-agent.ts'
import { createGuardedFetch, type Fetched, type GuardedFetchOptions } from './guarded-fetch.ts'

const types = ['text/html', 'text/plain']

interface Site extends AsyncDisposable {
  readonly port: number
  /** `http://site.test:…`, a name that the client resolves to this machine and may fetch from. */
  readonly url: string
  readonly requests: IncomingMessage[]
  get(path: string, options?: GuardedFetchOptions): Promise<Fetched>
}

async function openSite(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Site> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  const port = await listen(server)
  const url = `http://site.test:${port}`
  return {
    port,
    url,
    requests,
    get: async (path, options) => {
      await using client = createGuardedFetch({ allow: [`site.test:${port}`], resolve: async () => ['127.0.0.1'], ...options })
      return await client.get(path.startsWith('/') ? `${url}${path}` : path, { types })
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function codeOf(fetched: Fetched): string {
  return fetched.kind === 'refused' ? fetched.code : fetched.kind
}

const page = (response: ServerResponse, body: string | Buffer, headers = {}) => response.writeHead(200, { 'content-type': 'text/html; charset="UTF-8"', ...headers }).end(body)

test('FETCH-1 Only http and https addresses without user info, of at most 2,048 characters, are fetched', async () => {
  await using site = await openSite((_, response) => page(response, 'hello'))
  for (const url of [
    ' ',
    'site.test',
    'file:///etc/passwd',
    'ftp://site.test/',
    'javascript:alert(1)',
    'data:text/plain,x',
    'gopher://site.test',
    `http://user@site.test:${site.port}/`,
    `http://u:p@site.test:${site.port}/`,
    `${site.url}/${'a'.repeat(2_048)}`,
    'http://',
    'http://[::1',
    'unix:/var/run/docker.sock',
  ]) {
    assert.equal(codeOf(await site.get(url)), 'invalid', url)
  }
  assert.equal(site.requests.length, 0)
  const fetched = await site.get('/a?b=c#d')
  assert.deepEqual(fetched, { kind: 'fetched', url: `${site.url}/a?b=c`, type: 'text/html', charset: 'utf-8', body: Buffer.from('hello') })
})

test('FETCH-2 An address that is not public is blocked however it is written, and not one byte is sent', async () => {
  const asked: string[] = []
  await using client = createGuardedFetch({ resolve: async (host) => (asked.push(host), ['10.0.0.1']) })
  const urls = [
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://169.254.169.254/latest/meta-data',
    'http://0/',
    'http://192.168.0.1',
    'https://10.0.0.1/',
    'http://[fe80::1]/',
  ]
  for (const url of urls) assert.equal(codeOf(await client.get(url, { types })), 'blocked', url)
  assert.deepEqual(asked, [])
  for (const url of ['http://internal.test/', 'http://localhost/', 'https://localhost./']) assert.equal(codeOf(await client.get(url, { types })), 'blocked', url)
  assert.deepEqual(asked, ['internal.test', 'localhost', 'localhost.'])

  let connections = 0
  const trap = createTcpServer(() => (connections += 1))
  const port = await listen(trap)
  const agent = createGuardedAgent({ allow: new Set(), resolve: async () => ['93.184.216.34', '127.0.0.1'], timeoutMs: 5_000 })
  await assert.rejects(agent.request({ origin: `http://mixed.test:${port}`, path: '/', method: 'GET' }), { code: 'blocked' })
  await assert.rejects(agent.request({ origin: `http://127.0.0.1:${port}`, path: '/', method: 'GET' }), { code: 'blocked' })
  assert.equal(connections, 0)
  await agent.destroy()
  trap.close()
})

test('FETCH-3 Ports other than 80 and 443 are blocked unless their place is allowed', async () => {
  await using site = await openSite((_, response) => page(response, 'hello'))
  assert.equal(codeOf(await site.get('/', { allow: [] })), 'blocked')
  assert.equal(codeOf(await site.get('/', { allow: [`other.test:${site.port}`, `site.test:${site.port + 1}`] })), 'blocked')
  assert.equal(site.requests.length, 0)
  assert.equal(codeOf(await site.get('/', { allow: [' SITE.test '] })), 'fetched')
  assert.equal(codeOf(await site.get(`http://127.0.0.1:${site.port}/`, { allow: [`127.0.0.1:${site.port}`] })), 'fetched')
})

test('FETCH-4 The connection goes to the address that was checked: a name is asked once', async () => {
  await using site = await openSite((_, response) => page(response, 'hello'))
  let asked = 0
  const resolve = async () => [(asked += 1) === 1 ? '127.0.0.1' : '127.0.0.2']
  assert.equal(codeOf(await site.get('/', { resolve })), 'fetched')
  assert.equal(asked, 1)
  assert.equal(site.requests[0]?.headers.host, `site.test:${site.port}`)
})

test('FETCH-4 Over TLS the certificate is asked for by name, though the connection goes to an address', async () => {
  const hello = Promise.withResolvers<string>()
  const server = createTcpServer((socket) => socket.on('error', () => {}).once('data', (chunk) => (hello.resolve(chunk.toString('latin1')), socket.destroy())))
  const port = await listen(server)
  await using client = createGuardedFetch({ allow: [`site.test:${port}`], resolve: async () => ['127.0.0.1'] })
  assert.equal(codeOf(await client.get(`https://site.test:${port}/`, { types })), 'error')
  assert.ok((await hello.promise).includes('site.test'))
  server.close()
})

test('FETCH-5 At most five redirects are followed, each checked like the first address', async () => {
  await using site = await openSite((request, response) => {
    const [, step, target] = /^\/(\d+)(?:\?to=(.*))?$/.exec(request.url ?? '') ?? []
    if (target !== undefined) response.writeHead(302, { location: decodeURIComponent(target) }).end()
    else if (step === '0') page(response, 'there')
    else response.writeHead(301, { location: `/${Number(step) - 1}`, 'set-cookie': 'a=b' }).end('x')
  })
  const five = await site.get('/5')
  assert.ok(five.kind === 'fetched' && five.url === `${site.url}/0`)
  assert.ok(site.requests.every(({ headers }) => headers.cookie === undefined && headers.referer === undefined && headers.authorization === undefined))
  assert.equal(codeOf(await site.get('/6')), 'redirects')
  const count = site.requests.length
  const to = (target: string) => site.get(`/1?to=${encodeURIComponent(target)}`)
  for (const target of ['http://127.0.0.1/', 'http://169.254.169.254/', '//127.0.0.1/', `http://127.0.0.1:${site.port}/0`, 'http://[::1]/', `${site.url.replace('site', 'other')}/0`])
    assert.equal(codeOf(await to(target)), 'blocked', target)
  for (const target of ['file:///etc/passwd', 'ftp://site.test/', `http://u:p@site.test:${site.port}/0`]) assert.equal(codeOf(await to(target)), 'invalid', target)
  assert.equal(site.requests.length, count + 9)
})

test('FETCH-5 A redirect with a body that does not end is followed all the same', async () => {
  await using site = await openSite((request, response) => {
    if (request.url === '/there') page(response, 'there')
    else response.writeHead(302, { location: '/there' }).write('begin')
  })
  assert.equal(codeOf(await site.get('/')), 'fetched')
})

test('FETCH-6 A body over the bound is cut off, also when it is packed small or its length is a lie', async () => {
  const big = Buffer.alloc(200_000, 'a')
  await using site = await openSite((request, response) => {
    if (request.url === '/gzip') page(response, gzipSync(big), { 'content-encoding': 'gzip' })
    else if (request.url === '/br') page(response, brotliCompressSync(big), { 'content-encoding': 'br' })
    else if (request.url === '/small') page(response, gzipSync('small'), { 'content-encoding': 'gzip' })
    else if (request.url === '/odd') page(response, 'x', { 'content-encoding': 'rot13' })
    else if (request.url === '/broken') page(response, 'not gzip', { 'content-encoding': 'gzip' })
    else if (request.url === '/endless') {
      response.writeHead(200, { 'content-type': 'text/html' })
      const more = () => response.write(big) && setImmediate(more)
      response.on('drain', more)
      more()
    } else page(response, big)
  })
  for (const path of ['/plain', '/gzip', '/br', '/endless']) assert.equal(codeOf(await site.get(path, { bytesMax: 100_000 })), 'too_large', path)
  assert.equal(codeOf(await site.get('/plain', { bytesMax: 200_000 })), 'fetched')
  const small = await site.get('/small')
  assert.ok(small.kind === 'fetched' && small.body.toString() === 'small')
  assert.equal(codeOf(await site.get('/odd')), 'type')
  assert.equal(codeOf(await site.get('/broken')), 'error')
})

test('FETCH-7 One time limit holds from the look-up to the last byte', async () => {
  await using site = await openSite((request, response) => {
    if (request.url === '/silent') return
    response.writeHead(200, { 'content-type': 'text/html' }).write('begin')
    if (request.url !== '/dripping') return
    const drip = setInterval(() => response.write('x'), 10)
    response.on('close', () => clearInterval(drip))
  })
  for (const path of ['/silent', '/half', '/dripping']) assert.equal(codeOf(await site.get(path, { timeoutMs: 100 })), 'timeout', path)
  assert.equal(codeOf(await site.get('/', { timeoutMs: 50, resolve: () => new Promise(() => {}) })), 'timeout')
})

test('FETCH-8 Only 2xx answers of a wanted type are read; what fails is an outcome with a reason', async () => {
  await using site = await openSite((request, response) => {
    if (request.url === '/404') response.writeHead(404, { 'content-type': 'text/html' }).end('no')
    else if (request.url === '/304') response.writeHead(304).end()
    else if (request.url === '/pdf') response.writeHead(200, { 'content-type': 'application/pdf' }).end('%PDF')
    else if (request.url === '/none') response.writeHead(200).end('x')
    else if (request.url === '/plain') response.writeHead(200, { 'content-type': 'Text/Plain' }).end('x')
    else request.socket.destroy()
  })
  const missing = await site.get('/404')
  assert.deepEqual(missing, { kind: 'refused', code: 'status', message: 'The server answered 404.', status: 404 })
  assert.equal(codeOf(await site.get('/304')), 'status')
  for (const path of ['/pdf', '/none']) assert.equal(codeOf(await site.get(path)), 'type', path)
  assert.equal(codeOf(await site.get('/plain')), 'fetched')
  assert.equal(codeOf(await site.get('/gone')), 'error')
  assert.equal(codeOf(await site.get('/', { resolve: async () => Promise.reject(new Error('ENOTFOUND')) })), 'error')
  assert.equal(codeOf(await site.get('/', { resolve: async () => [] })), 'error')
})
