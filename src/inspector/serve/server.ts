/** An HTTP server that one bad client can't exhaust, and that keeps no process alive. */
import { createServer, type Server } from 'node:http';

/** What a client may take. */
export interface Limits {
  /** Until its headers have come, until its request has, until its next one does, ms. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How long it may take nothing of an answer, ms. */
  readonly answerTimeoutMs: number;
  /** How often the first two are looked at, ms. */
  readonly checkEveryMs: number;
  /** Of a request line and its headers together, bytes. */
  readonly headerBytesMax: number;
  readonly requestsPerSocketMax: number;
  /** All clients together; who comes then is cut off. */
  readonly connectionsMax: number;
}

export const LIMITS: Limits = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 5_000,
  keepAliveTimeoutMs: 5_000,
  answerTimeoutMs: 10_000,
  checkEveryMs: 1_000,
  headerBytesMax: 8_192,
  requestsPerSocketMax: 1_000,
  connectionsMax: 128,
};

/** A server within these limits that does not listen yet. */
export function boundedServer(limits: Limits): Server {
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: limits.headerBytesMax,
    // Refused with a word of ours.
    requireHostHeader: false,
  });
  server.maxRequestsPerSocket = limits.requestsPerSocketMax;
  server.maxConnections = limits.connectionsMax;
  server.on('connection', (socket) => socket.unref());
  return server.unref();
}
