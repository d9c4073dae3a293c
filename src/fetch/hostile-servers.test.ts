import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { createGuardedFetch, type Fetched, type GuardedFetchOptions } from './guarded-fetch.ts'

const types = ['text/html']

/** A server that writes what a test says, whether or not it is HTTP. */
async function openWire(answer: (socket: Socket, path: string) => void) {
  const sockets = new Set<Socket>()
  const heads: string[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', (chunk) => {
      heads.push(chunk.toString('latin1'))
      answer(socket, /^GET (\S+)/.exec(heads.at(-1) ?? '')?.[1] ?? '')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    heads,
    get: async (path: string, options?: GuardedFetchOptions): Promise<Fetched> => {
      await using client = createGuardedFetch({ allow: [`site.test:${port}`], resolve: async () => ['127.0.0.1'], timeoutMs: 2_000, ...options })
      return await client.get(`http://site.test:${port}${path}`, { types })
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function codeOf(fetched: Fetched): string {
  return fetched.kind === 'refused' ? fetched.code : fetched.kind
}

test('FETCH-2 No spelling of an address that is not public gets through, in a link or in the answer of a resolver', async () => {
  const asked: string[] = []
  await using client = createGuardedFetch({ resolve: async (host) => (asked.push(host), ['93.184.216.34']) })
  const spelled = [
    'http://127.0.0.1./',
    'http://127.0.1/',
    'http://0x7f.1/',
    'http://0X7F.0.0.1/',
    'http://0x7F.0x0.0x0.0x1/',
    'http://017700000001/',
    'http://00000177.0.0.01/',
    'http://127.0x0.01/',
    'http://%31%32%37.0.0.1/',
    'http://127%2e0%2e0%2e1/',
    'http://①②⑦.⓪.⓪.①/',
    'http://127。0。0。1/',
    'http://１２７.0.0.1/',
    'http:\\\\127.0.0.1\\',
    'http:127.0.0.1',
    'http:////127.0.0.1/',
    'ht\ntp://127.0\t.0.1/',
    'http://127.0.0.1:80/',
    'https://127.0.0.1:443/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://[::]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::127.0.0.1]/',
    'http://[::ffff:0:127.0.0.1]/',
    'http://[::FFFF:169.254.169.254]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[64:ff9b:1::a9fe:a9fe]/',
    'http://[2002:7f00:1::]/',
    'http://[2001:0:7f00:1::]/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://[ff02::1]/',
    'http://168.63.129.16/',
    'http://100.100.100.200/',
    'http://192.0.0.192/',
    'http://255.255.255.255/',
  ]
  for (const url of spelled) assert.equal(codeOf(await client.get(url, { types })), 'blocked', url)
  for (const url of [
    'http://[fe80::1%25eth0]/',
    'http://[::1%eth0]/',
    'http://127.0.0.1@93.184.216.34/',
    'http://256.256.256.256/',
    'http://1.2.3.4.5/',
    'http://127.0.0.1%00.example/',
    'http://127.0.0.1\u0000.example/',
    '//127.0.0.1/',
  ])
    assert.equal(codeOf(await client.get(url, { types })), 'invalid', url)
  assert.deepEqual(asked, [])
  for (const port of ['22', '25', '6379', '8080', '0', '65535']) assert.equal(codeOf(await client.get(`http://site.test:${port}/`, { types })), 'blocked', port)

  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1', 'fe80::1%1', '0.0.0.0', '169.254.169.254', '127.1', '0x7f000001', '2130706433', 'localhost', '']) {
    await using resolving = createGuardedFetch({ resolve: async () => [address] })
    assert.equal(codeOf(await resolving.get('http://site.test/', { types })), 'blocked', address)
    await using mixed = createGuardedFetch({ resolve: async () => ['93.184.216.34', '2606:4700:4700::1111', address] })
    assert.equal(codeOf(await mixed.get('https://site.test/', { types })), 'blocked', address)
  }
})

test('FETCH-4 A name that is public when it is first asked for, and not when a redirect comes back to it, is blocked', async () => {
  await using wire = await openWire((socket, path) => void socket.end(`HTTP/1.1 302 Found\r\nLocation: ${path === '/start' ? 'http://rebound.test/' : '/start'}\r\nContent-Length: 0\r\n\r\n`))
  const asked: string[] = []
  const resolve = async (host: string) => (asked.push(host), [host === 'site.test' ? '127.0.0.1' : '10.0.0.1'])
  assert.equal(codeOf(await wire.get('/start', { resolve })), 'blocked')
  assert.deepEqual(asked, ['site.test', 'rebound.test'])
  assert.equal(wire.heads.length, 1)
})

test('FETCH-5 A loop of redirects ends, and one to what is no address is told', async () => {
  await using wire = await openWire((socket, path) => {
    const location = path === '/loop' ? '/loop' : decodeURIComponent(path.slice(1))
    socket.end(`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${location}\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n`)
  })
  assert.equal(codeOf(await wire.get('/loop')), 'redirects')
  assert.equal(wire.heads.length, 6)
  assert.ok(wire.heads.every((head) => !/^(cookie|referer|authorization|origin):/im.test(head)))
  for (const location of [
    'file:///etc/passwd',
    'gopher://site.test/',
    'data:text/html,x',
    'javascript:1',
    'http://',
    'http://a:b@site.test/',
    'ftp://site.test/',
    `http://site.test/${'x'.repeat(3_000)}`,
  ])
    assert.equal(codeOf(await wire.get(`/${encodeURIComponent(location)}`)), 'invalid', location.slice(0, 60))
})

test('FETCH-6 A body that is packed small, in whatever way, is given up at the bound', async () => {
  const big = Buffer.alloc(64 * 1_048_576)
  const packed: Readonly<Record<string, Buffer>> = { gzip: gzipSync(big), 'x-gzip': gzipSync(big), deflate: deflateSync(big), br: brotliCompressSync(big) }
  const head = (coding: string, length?: number) =>
    `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: ${coding}\r\n${length === undefined ? '' : `Content-Length: ${length}\r\n`}Connection: close\r\n\r\n`
  await using wire = await openWire((socket, path) => {
    const coding = decodeURIComponent(path.slice(1))
    const body = packed[coding] ?? deflateRawSync(big)
    socket.write(head(coding, body.length))
    socket.end(body)
  })
  for (const coding of Object.keys(packed)) assert.equal(codeOf(await wire.get(`/${coding}`, { bytesMax: 1_000_000 })), 'too_large', coding)
  for (const coding of ['gzip, gzip', 'zstd', 'compress', 'gzip;q=1']) assert.equal(codeOf(await wire.get(`/${encodeURIComponent(coding)}`)), 'type', coding)
})

test('FETCH-7 FETCH-8 A server that never comes to an end, or says more than a head may hold, is given up', async () => {
  const beats = new Set<NodeJS.Timeout>()
  const drip = (socket: Socket, text: string, ms = 5) => {
    const beat = setInterval(() => socket.write(text), ms)
    beats.add(beat)
    socket.on('close', () => clearInterval(beat))
  }
  await using wire = await openWire((socket, path) => {
    if (path === '/interim') drip(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
    else if (path === '/head') {
      socket.write('HTTP/1.1 200 OK\r\n')
      drip(socket, 'X-Slow: x\r\n', 20)
    } else if (path === '/chunks') {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n')
      drip(socket, '1\r\nx\r\n')
    } else if (path === '/many') socket.write(`HTTP/1.1 200 OK\r\n${'X-Many: xxxxxxxxxxxxxxxxxxxx\r\n'.repeat(5_000)}\r\n`)
    else if (path === '/long') socket.write(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`)
    else if (path === '/both') socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
    else if (path === '/short') socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\nx')
    else if (path === '/negative') socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: -1\r\n\r\nx')
    else socket.end('220 mail.example ESMTP\r\n')
  })
  for (const path of ['/interim', '/head', '/chunks']) assert.equal(codeOf(await wire.get(path, { timeoutMs: 300 })), 'timeout', path)
  for (const path of ['/many', '/long', '/both', '/short', '/negative', '/mail']) assert.equal(codeOf(await wire.get(path)), 'error', path)
  for (const beat of beats) clearInterval(beat)
})
