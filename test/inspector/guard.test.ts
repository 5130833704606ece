/** Who may ask the inspector, and what: by its own names, from its own page, looking and no more. */
import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import { type Asked, pathOf, refusalOf } from '../../src/inspector/serve/guard.ts';
import { hostsOf, ownAddresses, urlOf } from '../../src/inspector/serve/hosts.ts';

const PORT = 8787;
const LAN = '192.168.1.5';
/** An inspector that listens there, on a machine with one address. */
const at = (host: string, allowedHosts: readonly string[] = [], port = PORT) =>
  hostsOf(host, allowedHosts, () => [LAN, '[fe80::1]'])(port);
const loopback = at('127.0.0.1');

/** A plain look at the page, but for `what`. */
const asked = (what: Partial<Asked> = {}): Asked => ({
  method: 'GET',
  url: '/',
  hosts: [`127.0.0.1:${PORT}`],
  origins: [],
  hasBody: false,
  ...what,
});
const statusOf = (what: Partial<Asked>, hosts = loopback): number | undefined =>
  refusalOf(asked(what), hosts)?.status;

describe('a Host', () => {
  test.each(['127.0.0.1:8787', 'localhost:8787', 'LOCALHOST:8787', '[::1]:8787'])(
    'of loopback with our port may ask: %s',
    (host) => expect(statusOf({ hosts: [host] })).toBeUndefined(),
  );

  test.each([
    'evil.example:8787',
    'localhost.evil.example:8787',
    '127.0.0.1.nip.io:8787',
    '127.0.0.1:8788',
    '127.0.0.1',
    'localhost',
    '127.0.0.1:08787x',
    '127.0.0.1:8787:8787',
    '127.0.0.1:8787@evil.example',
    'evil.example@127.0.0.1:8787',
    '127.0.0.2:8787',
    '2130706433:8787',
    '0x7f.1:8787',
    '0.0.0.0:8787',
    '[::]:8787',
    '[::ffff:127.0.0.1]:8787',
    'localhost.:8787',
    `${LAN}:8787`,
    '',
    ':8787',
    ' 127.0.0.1:8787',
    '127.0.0.1:8787, evil.example',
  ])('that is none of ours may not: %s', (host) => expect(statusOf({ hosts: [host] })).toBe(403));

  test('X11 must be there, and once', () => {
    expect(statusOf({ hosts: [] })).toBe(400);
    expect(statusOf({ hosts: ['127.0.0.1:8787', 'evil.example'] })).toBe(400);
  });

  test('without a port is ours on port 80', () => {
    expect(statusOf({ hosts: ['localhost'] }, at('127.0.0.1', [], 80))).toBeUndefined();
    expect(statusOf({ hosts: ['localhost:80'] }, at('127.0.0.1', [], 80))).toBeUndefined();
  });

  test.each([
    ['0.0.0.0', `${LAN}:8787`, undefined],
    ['::', '[fe80::1]:8787', undefined],
    [LAN, `${LAN}:8787`, undefined],
    [LAN, '127.0.0.1:8787', undefined],
    ['0.0.0.0', '192.168.1.6:8787', 403],
    ['0.0.0.0', '0.0.0.0:8787', 403],
    ['0.0.0.0', 'evil.example:8787', 403],
    ['box.lan', 'box.lan:8787', undefined],
    ['127.0.0.1', `${LAN}:8787`, 403],
    ['localhost', `${LAN}:8787`, 403],
    ['::1', `${LAN}:8787`, 403],
  ])('on %s: %s', (host, name, status) => expect(statusOf({ hosts: [name] }, at(host))).toBe(status));

  test('that is allowed by name may ask on any port, one with a port on that alone', () => {
    const hosts = at('127.0.0.1', ['Candles.Example', 'proxy.example:443', '2001:db8::7', 'bücher.example']);
    const allowed = ['candles.example', 'candles.example:9', 'proxy.example:443', '[2001:db8::7]:1'];
    expect(allowed.filter((name) => !hosts.allows(name))).toEqual([]);
    expect(hosts.allows('xn--bcher-kva.example')).toBe(true);
    expect(['proxy.example', 'proxy.example:80', 'x.candles.example'].filter(hosts.allows)).toEqual([]);
  });

  test('that is allowed and is no name is refused by its place in the list', () => {
    const wrong = ['ok.example', 'http://a.example/', '*', 'a b', ''];
    expect(() => hostsOf('127.0.0.1', wrong)).toThrow(ConfigurationError);
    expect(() => hostsOf('127.0.0.1', wrong)).toThrow(
      /allowedHosts\[1\].*allowedHosts\[3\].*allowedHosts\[4\]/,
    );
  });

  test('may be any address that this machine has', () => {
    expect(ownAddresses()).toContain('127.0.0.1');
    const hosts = hostsOf('0.0.0.0')(PORT);
    expect(ownAddresses().filter((address) => !hosts.allows(`${address}:${PORT}`))).toEqual([]);
  });
});

describe('an Origin', () => {
  test.each([
    [[], undefined],
    [['http://127.0.0.1:8787'], undefined],
    [['HTTP://127.0.0.1:8787'], undefined],
    [['http://localhost:8787'], 403],
    [['https://127.0.0.1:8787'], 403],
    [['http://127.0.0.1:8788'], 403],
    [['http://127.0.0.1'], 403],
    [['http://127.0.0.1:8787.evil.example'], 403],
    [['http://evil.example'], 403],
    [['null'], 403],
    [[''], 403],
    [['http://127.0.0.1:8787', 'http://evil.example'], 403],
  ])('%j: %s', (origins, status) => expect(statusOf({ origins })).toBe(status));

  test('X11 may speak TLS where the name is that of a proxy that was allowed', () => {
    const hosts = at('127.0.0.1', ['proxy.example']);
    const from = (origin: string, host: string) => statusOf({ hosts: [host], origins: [origin] }, hosts);
    expect(from('https://proxy.example', 'proxy.example')).toBeUndefined();
    expect(from('http://proxy.example', 'proxy.example')).toBeUndefined();
    expect(from('https://other.example', 'proxy.example')).toBe(403);
    expect(from('https://127.0.0.1:8787', '127.0.0.1:8787')).toBe(403);
  });
});

describe('a request', () => {
  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', ''])(
    'that is no GET is refused: %s',
    (method) => expect(statusOf({ method })).toBe(405),
  );

  test('with a body, or an endless address, is refused', () => {
    expect(statusOf({ hasBody: true })).toBe(400);
    expect(statusOf({ url: `/${'a'.repeat(2_047)}` })).toBeUndefined();
    expect(statusOf({ url: `/${'a'.repeat(2_048)}` })).toBe(414);
  });

  test.each(['*', '', 'http://127.0.0.1:8787/', '/%', '/%zz', '/%00', '/a%00b', '/%c3', '/%ff'])(
    'for what is no path is refused: %s',
    (url) => expect(statusOf({ url })).toBe(400),
  );

  test('refused says what to do, and repeats nothing of what was asked', () => {
    const foreign = refusalOf(asked({ hosts: ['evil.example:8787'] }), loopback);
    expect(foreign?.text).toContain("'allowedHosts'");
    expect(foreign?.text).not.toMatch(/evil|8787/);
  });
});

describe('a path', () => {
  test.each([
    ['/', ['']],
    ['/?a=b/c', ['']],
    ['/healthz', ['healthz']],
    ['/healthz/', ['healthz', '']],
    ['//evil.example/x', ['', 'evil.example', 'x']],
    ['/api/actors/0%2Fx%3A3', ['api', 'actors', '0/x:3']],
    ['/api/series/%E5%B8%81USDT/1m#x', ['api', 'series', '币USDT', '1m']],
    ['/..%2f..%2fetc', ['../../etc']],
  ])('%s is %j', (url, parts) => expect(pathOf(url)).toEqual(parts));
});

describe('the address to be opened', () => {
  test.each([
    ['127.0.0.1', 'http://127.0.0.1:8787/'],
    ['localhost', 'http://localhost:8787/'],
    ['::1', 'http://[::1]:8787/'],
    ['0.0.0.0', 'http://127.0.0.1:8787/'],
    ['::', 'http://[::1]:8787/'],
    ['box.lan', 'http://box.lan:8787/'],
  ])('of %s is %s', (host, url) => expect(urlOf(host, PORT)).toBe(url));
});
