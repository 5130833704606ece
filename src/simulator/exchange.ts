import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createControlServer } from './control.ts';
import { createExchange, type ExchangeCore } from './core.ts';
import { authority } from './guard.ts';
import type { SimulatorOptions } from './options.ts';
import { Upgrades } from './upgrade.ts';
import { serveWeb } from './web-server.ts';

/** A running simulated exchange. */
export interface SimulatedExchange
  extends Omit<ExchangeCore, 'clock' | 'state' | 'handshake' | 'answer' | 'close'>,
    AsyncDisposable {
  /** Base URLs without a slash at the end. */
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly visionUrl: string;
  readonly controlUrl: string;
  /** Ends every connection and timer. May be called again. */
  close(): Promise<void>;
}

/** Largest request header, bytes: a thousand streams fit in the path. */
const HEADER_MAX = 131_072;

/** Starts a simulated exchange on loopback. Rejects with `EADDRINUSE` as `code` when the port is taken. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<SimulatedExchange> {
  const { clock, state, handshake, answer, close: end, ...exchange } = createExchange(options);
  const host = options.host ?? '127.0.0.1';
  const main = createServer({ maxHeaderSize: HEADER_MAX }, (request, response) => {
    void serveWeb(clock, answer, request, response);
  });
  const upgrades = new Upgrades(clock, handshake);
  main.on('upgrade', (request, wire, head) => upgrades.take(request, wire, head));
  const control = createControlServer({ ...exchange, state });

  const port = await listen(main, host, options.port ?? 0);
  const controlPort = await listen(control, host, 0).catch(async (error: unknown) => {
    await stop(main);
    throw error;
  });
  const address = authority(host, port);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      end();
      upgrades.close();
      await Promise.all([stop(main), stop(control)]);
    })();
    return closing;
  };
  return {
    ...exchange,
    wsUrl: `ws://${address}`,
    restUrl: `http://${address}`,
    visionUrl: `http://${address}`,
    controlUrl: `http://${authority(host, controlPort)}`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', () => {});
      server.on('clientError', (_error, socket) => socket.destroy());
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
