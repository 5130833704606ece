/** By which names the inspector may be asked. A page that rebinds its own name to this machine asks by that name. */
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ConfigurationError } from '../../errors.ts';

/** A name and a port, as a Host header has them. */
interface Authority {
  /** Lower case; an IPv6 address in its brackets. */
  readonly name: string;
  readonly port: number | undefined;
}

export interface Hosts {
  /** Whether a Host header is a name of ours. */
  allows(host: string): boolean;
  /** Whether an Origin header is that of the page which we serve under that Host. */
  allowsOrigin(origin: string, host: string): boolean;
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
/** All addresses of the machine: to listen on, and not to be asked by. */
const WILDCARDS = ['0.0.0.0', '[::]'];
const HTTP_PORT = 80;

/** `::1` of options is `[::1]` in a URL. */
export const inBrackets = (host: string): string => (isIPv6(host) ? `[${host}]` : host);

/** Whether what listens there is reached from this machine alone. */
export const isLoopback = (host: string): boolean =>
  LOOPBACK.includes(inBrackets(host).toLowerCase()) || /^127\.\d+\.\d+\.\d+$/.test(host);

/** The URL under which a listening address is asked from this machine. */
export function urlOf(host: string, port: number): string {
  const name = inBrackets(host);
  const shown = name === '0.0.0.0' ? '127.0.0.1' : name === '[::]' ? '[::1]' : name;
  return `http://${shown}:${port}/`;
}

/** Addresses of this machine, as Host headers spell them. They come and go with its networks. */
export const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => inBrackets(address)));

/**
 * Who may ask what listens on `host`, once its port is known: by loopback's names, by `host`, by `allowedHosts`, and by the machine's
 * own addresses when it listens beyond loopback.
 *
 * @throws {ConfigurationError} naming those of `allowedHosts` that are none.
 */
export function hostsOf(
  host: string,
  allowedHosts: readonly string[] = [],
  addresses: () => readonly string[] = ownAddresses,
): (port: number) => Hosts {
  const own = new Set([...LOOPBACK, canonical(inBrackets(host)) ?? '']);
  for (const none of ['', ...WILDCARDS]) own.delete(none);
  const allowed = namesOf(allowedHosts);
  const isOwn = (name: string): boolean => own.has(name) || (!isLoopback(host) && addresses().includes(name));
  const isNamed = ({ name, port: asked }: Authority): boolean =>
    allowed.some((one) => one.name === name && (one.port ?? asked) === asked);
  return (port) => ({
    allows(text) {
      const asked = authorityOf(text);
      if (asked === undefined) return false;
      return isNamed(asked) || ((asked.port ?? HTTP_PORT) === port && isOwn(asked.name));
    },
    allowsOrigin(origin, text) {
      const [from, to] = [origin.toLowerCase(), text.toLowerCase()];
      if (from === `http://${to}`) return true;
      // A name that was allowed may be that of a proxy which speaks TLS.
      const asked = authorityOf(text);
      return asked !== undefined && isNamed(asked) && from === `https://${to}`;
    },
  });
}

function authorityOf(text: string): Authority | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(?::(\d{1,5}))?$/i.exec(text);
  if (match?.[1] === undefined) return undefined;
  return { name: match[1].toLowerCase(), port: match[2] === undefined ? undefined : Number(match[2]) };
}

/** A name as browsers send it, whatever way it was written; nothing when it is none. */
function canonical(name: string): string | undefined {
  try {
    return new URL(`http://${name}`).hostname || undefined;
  } catch {
    return undefined;
  }
}

function namesOf(allowedHosts: readonly string[]): Authority[] {
  const names = allowedHosts.map((text): Authority | undefined => {
    const given = authorityOf(inBrackets(String(text)));
    const name = given && canonical(given.name);
    return given && name !== undefined ? { ...given, name } : undefined;
  });
  const wrong = [...names.keys()].filter((index) => names[index] === undefined);
  if (wrong.length > 0)
    throw new ConfigurationError(
      wrong.map((index) => ({
        option: `allowedHosts[${index}]`,
        given: `'${String(allowedHosts[index]).slice(0, 100)}'`,
        allowed: 'a name or an address, with a port or without: no URL',
      })),
    );
  return names.filter((name) => name !== undefined);
}
