/** Certificates of a local authority, made with openssl: good ones, and some that must not be trusted. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const opensslMissing = spawnSync('openssl', ['version']).status !== 0;

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}
export interface Certificates {
  /** Path of the authority's own, for NODE_EXTRA_CA_CERTS. */
  readonly authority: string;
  readonly good: Certificate;
  readonly wrongHost: Certificate;
  readonly expired: Certificate;
  readonly selfSigned: Certificate;
}

const CONFIG = `[ca]
default_ca = local
[local]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = key.pem
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
`;

/** All of one key, in this folder. */
export function makeCertificates(folder: string): Certificates {
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const at = (name: string): string => join(folder, name);
  for (const [name, text] of [
    ['ca.cnf', CONFIG],
    ['index.txt', ''],
    ['serial', '01\n'],
  ] as const)
    writeFileSync(at(name), text);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
  openssl('req', '-x509', ...key, '-out', 'ca.pem', '-days', '2', '-subj', '/CN=local authority');
  const own = ['req', '-new', '-key', 'key.pem', '-subj', '/CN=exchange'];
  openssl(...own, '-out', 'csr.pem');
  openssl(...own, '-x509', '-out', 'selfSigned.pem', '-days', '2', '-addext', 'subjectAltName=IP:127.0.0.1');
  const sign = (name: string, host: string, ...when: string[]): Certificate => {
    writeFileSync(at('extensions'), `subjectAltName=${host}\n`);
    const files = ['-in', 'csr.pem', '-out', `${name}.pem`, '-extfile', 'extensions', '-notext'];
    openssl('ca', '-batch', '-config', 'ca.cnf', ...files, ...when);
    return { key: readFileSync(at('key.pem')), cert: readFileSync(at(`${name}.pem`)) };
  };
  return {
    authority: at('ca.pem'),
    good: sign('good', 'IP:127.0.0.1', '-days', '2'),
    wrongHost: sign('wrongHost', 'DNS:other.example', '-days', '2'),
    expired: sign('expired', 'IP:127.0.0.1', '-startdate', '20200101000000Z', '-enddate', '20200201000000Z'),
    selfSigned: { key: readFileSync(at('key.pem')), cert: readFileSync(at('selfSigned.pem')) },
  };
}
