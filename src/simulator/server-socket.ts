import { WebSocket } from 'ws';

/** A server socket whose answer to the client's close frame can be withheld. */
export class ServerSocket extends WebSocket {
  /** Asked when the library is about to answer the client's close frame. */
  withholdClose: () => boolean = () => false;

  /** Called by the library alone, to answer a close frame or a protocol error. */
  override close(code?: number, data?: string | Buffer): void {
    if (!this.withholdClose()) super.close(code, data);
  }

  /** Starts the closing handshake from our side. */
  end(code: number, reason: string): void {
    super.close(code, reason);
  }
}
