import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readAddress, urlKeyOf } from './url-key.ts'

test('VLT-70 Addresses that differ in case of the host, default port, fragment, slash at the end or tracking are one page', () => {
  const page = urlKeyOf('https://example.org/a?b=1&c=%20x')
  for (const address of [
    'HTTPS://EXAMPLE.org:443/a?b=1&c=%20x',
    'https://example.org/a/?b=1&c=%20x#part',
    ' https://example.org/a?utm_source=x&b=1&UTM_Medium=y&c=%20x&fbclid=1&gclid=2&mc_cid=3&mc_eid=4 ',
    'https://example.org/a?b=1&&c=%20x&',
  ])
    assert.equal(urlKeyOf(address), page, address)
  for (const address of [
    'http://example.org/a?b=1&c=%20x',
    'https://example.org:8443/a?b=1&c=%20x',
    'https://example.org/A?b=1&c=%20x',
    'https://example.org/a?c=%20x&b=1',
    'https://www.example.org/a?b=1&c=%20x',
    'https://example.org/a?b=1&c=%20x&utm=1',
  ])
    assert.notEqual(urlKeyOf(address), page, address)
  assert.equal(urlKeyOf('http://example.org/'), urlKeyOf('http://EXAMPLE.org:80'))
  assert.equal(urlKeyOf('http://bücher.example/'), urlKeyOf('http://xn--bcher-kva.example'))
})

test('VLT-64 An address is http or https, without user and password, of at most 2,048 characters', () => {
  assert.equal(readAddress('\nHTTP://Example.org/ä?q=a|b \t'), 'HTTP://Example.org/ä?q=a|b')
  for (const text of [
    '',
    'example.org',
    'ftp://example.org',
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'http://',
    'http://a b',
    'http://exa\nmple.org',
    'http://user@example.org',
    'http://:pass@example.org',
    'http://example.org:99999',
    'http://[::1',
    'http://example.org/\0',
    'http://example.org/\uD800',
    `http://example.org/${'a'.repeat(2_048)}`,
    'http:example.org',
    'see http://example.org',
  ]) {
    assert.equal(readAddress(text), undefined, JSON.stringify(text))
    assert.equal(urlKeyOf(text), null, JSON.stringify(text))
  }
})

test('VLT-70 The key of a key is itself', () => {
  fc.assert(
    fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true, validSchemes: ['http', 'https'] }), (address) => {
      const key = urlKeyOf(address)
      assert.notEqual(key, null)
      assert.equal(urlKeyOf(key ?? ''), key)
      const plain = address.split('#', 1)[0] ?? ''
      const joint = plain.includes('?') ? '&' : '?'
      assert.equal(urlKeyOf(`${plain}${joint}utm_campaign=x#top`), key)
    }),
    { numRuns: 1_000 },
  )
})
