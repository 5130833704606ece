/** What is answered under which path. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Logger } from '../../ports.ts';
import { type Answer, NOT_FOUND, refused, send, text } from './answer.ts';
import { askedOf, pathOf, refusalOf } from './guard.ts';
import type { Hosts } from './hosts.ts';
import type { Ages, Limits } from './server.ts';

/** Answers what lies below it, given the decoded parts of the path behind its name; undefined: nothing is there. */
export type Route = (rest: readonly string[]) => Promise<Answer | undefined> | Answer | undefined;

/** By the first part of the path. */
export type Routes = Readonly<Record<string, Route>>;

export interface RouterBounds {
  readonly ages: Ages;
  /** Its timers keep no process alive. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: Limits;
}

/** Answers requests. Whatever a route does, no request ends more than itself. */
export class Router {
  readonly #routes: Routes;
  readonly #hosts: Hosts;
  readonly #bounds: RouterBounds;
  /** Routes that have failed: one that is asked again and again is told of once. */
  readonly #failed = new Set<string>();

  constructor(routes: Routes, hosts: Hosts, bounds: RouterBounds) {
    this.#routes = routes;
    this.#hosts = hosts;
    this.#bounds = bounds;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => {});
    const { ages, clock, limits } = this.#bounds;
    if (ages.isOld(request.socket)) response.shouldKeepAlive = false;
    void this.#answer(request).then((answer) => send(response, answer, clock, limits.answerTimeoutMs));
  };

  async #answer(request: IncomingMessage): Promise<Answer> {
    const refusal = refusalOf(askedOf(request), this.#hosts);
    if (refusal !== undefined) return refused(refusal);
    const [name = '', ...rest] = pathOf(request.url ?? '') ?? [];
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
    try {
      return (await route?.(rest)) ?? NOT_FOUND;
    } catch (error) {
      if (!this.#failed.has(name)) this.#bounds.logger.error(`the inspector's /${name} failed`, { error });
      this.#failed.add(name);
      return text(500, 'this could not be answered; the log says why');
    }
  }
}
