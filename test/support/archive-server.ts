/** A server of archive files on loopback: as the real one answers, or as a test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ArchiveFile } from '../../src/binance/archive.ts';
import { fileName } from '../../src/binance/archive.ts';
import { sha256, zipFor } from './archive-files.ts';

export type Reply = (request: IncomingMessage, response: ServerResponse) => void;

export interface ArchiveServer {
  readonly url: string;
  /** What was asked for, oldest first. */
  readonly paths: string[];
  /** Zip files by path, with the checksum that is said of them. */
  readonly files: Map<string, { zip: Uint8Array; checksum?: string | undefined }>;
  /** Answers the next requests of paths that end so, instead of the file. */
  readonly replies: { readonly end: string; readonly reply: Reply }[];
  /** Serves the file from now on. */
  add(file: ArchiveFile, zip?: Uint8Array, checksum?: string | undefined): Uint8Array;
}

export async function archiveServer(...files: readonly ArchiveFile[]): Promise<ArchiveServer> {
  const held: ArchiveServer['files'] = new Map();
  const paths: string[] = [];
  const replies: ArchiveServer['replies'] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    paths.push(path);
    response.on('error', () => {});
    const index = replies.findIndex(({ end }) => path.endsWith(end));
    if (index >= 0) return replies.splice(index, 1)[0]!.reply(request, response);
    const found = held.get(path.replace(/\.CHECKSUM$/, ''));
    const body = path.endsWith('.CHECKSUM') ? found?.checksum : found?.zip;
    if (body === undefined) return void response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
    response.writeHead(200, { etag: `"${sha256(Buffer.from(body))}"` }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const add: ArchiveServer['add'] = (
    file,
    zip = zipFor(file),
    checksum = `${sha256(zip)}  ${fileName(file)}\n`,
  ) => {
    held.set(file.path, { zip, checksum });
    return zip;
  };
  for (const file of files) add(file);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    files: held,
    replies,
    add,
  };
}
