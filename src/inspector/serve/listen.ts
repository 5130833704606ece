/** Where the inspector listens: on the port that was given, or by default on a known one, or else on a free one. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CandlestateError } from '../../errors.ts';
import type { Clock } from '../../ports.ts';
import type { Component, StartContext } from '../../supervisor/component.ts';
import { httpServerComponent } from '../../supervisor/http-component.ts';
import type { InspectorOptions } from '../options.ts';

export const DEFAULT_PORT = 8_787;

export interface ListenBounds {
  readonly host: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly context: StartContext;
}

/** A server that listens: what ends it, and its port. */
export interface Listening {
  readonly http: Component;
  readonly port: number;
}

/** @throws {CandlestateError} `HTTP_LISTEN`. */
export async function listen(
  server: Server,
  wanted: InspectorOptions['port'],
  { host, clock, signal, context }: ListenBounds,
): Promise<Listening> {
  const on = async (port: number): Promise<Listening> => {
    const http = httpServerComponent(server, { name: 'inspector', port, host, clock });
    await http.start?.(signal, context);
    return { http, port: (server.address() as AddressInfo).port };
  };
  try {
    return await on(wanted ?? DEFAULT_PORT);
  } catch (error) {
    if (wanted !== undefined || !isTaken(error)) throw error;
    return on(0);
  }
}

const isTaken = (error: unknown): boolean =>
  error instanceof CandlestateError && (error.cause as NodeJS.ErrnoException)?.code === 'EADDRINUSE';
