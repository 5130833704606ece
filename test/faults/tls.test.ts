import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { run } from '../../src/cli/program.ts';
import { type Certificates, makeCertificates, opensslMissing } from '../support/certificates.ts';

const CHILD = fileURLToPath(new URL('tls.child.ts', import.meta.url));

describe.skipIf(opensslMissing)('an exchange by TLS', () => {
  let folder: string;
  let made: Certificates;
  const servers: Server[] = [];
  const ports: Record<string, number> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'candlestate-tls-'));
    made = makeCertificates(folder);
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const { good, wrongHost, expired, selfSigned } = made;
    for (const [name, options] of Object.entries({
      good,
      wrongHost,
      expired,
      selfSigned,
      old: { ...good, ...old },
    })) {
      const server = createServer(options, (_, response) => response.end('{}'));
      // Long enough that they may be taken as they stand in what was read.
      new WebSocketServer({ server }).on('connection', (client) => {
        for (let number = 0; number < 1_000; number++) client.send(String(number).padStart(300));
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      ports[name] = (server.address() as AddressInfo).port;
    }
  });
  afterAll(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(folder, { recursive: true });
  });

  /** What a process makes of them that trusts the local authority. */
  function outcomes(env: NodeJS.ProcessEnv, ...flags: string[]): Promise<Record<string, [string, string]>> {
    const child = spawn(process.execPath, [...flags, CHILD, JSON.stringify(ports)], {
      env: { ...process.env, NODE_OPTIONS: '', NODE_EXTRA_CA_CERTS: made.authority, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve(JSON.parse(text) as Record<string, [string, string]>));
    });
  }

  test.each([
    ['as usual', {}, []],
    ['where the environment says not to check', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, []],
    ['where Node would speak older versions', {}, ['--tls-min-v1.0', '--tls-cipher-list=DEFAULT@SECLEVEL=0']],
  ])(
    'X02 is known by its certificate, %s: no self-signed, expired or foreign one, no old version',
    async (_, env, flags) => {
      const { old, ...others } = await outcomes(env, ...flags);
      expect(others).toEqual({
        good: ['1000 in order', '{}'],
        wrongHost: Array(2).fill('ERR_TLS_CERT_ALTNAME_INVALID'),
        expired: Array(2).fill('CERT_HAS_EXPIRED'),
        selfSigned: Array(2).fill('DEPTH_ZERO_SELF_SIGNED_CERT'),
      });
      for (const code of old ?? ['none']) expect(code).toMatch(/^EPROTO|^ERR_SSL_/u);
    },
  );
});

test.each(['collect', 'history', 'verify'])(
  'X02 %s refuses to start where the environment says not to check',
  async (command) => {
    const said: string[] = [];
    const write = process.stderr.write;
    process.stderr.write = (text) => said.push(String(text)) > 0;
    try {
      expect(await run([command], { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toBe(2);
    } finally {
      process.stderr.write = write;
    }
    expect(said.join('')).toMatch(/NODE_TLS_REJECT_UNAUTHORIZED: 0 won't do; leave it out/u);
  },
);
