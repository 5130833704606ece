/**
 * Which contracts the exchange lists and what their status means: by exchangeInfo, and by `!contractInfo`
 * events. Enumerations are open sets: new words appear and end nothing.
 */
import { isTime } from './frame.ts';
import { malformedBody } from './rest.ts';
import { REST_PATHS } from './venue.ts';

/** The stream that tells of listings, settlements and bracket changes of every contract, as they happen. */
export const CONTRACT_INFO_STREAM = '!contractInfo';
/** `e` of its events. */
export const CONTRACT_INFO_EVENT = 'contractInfo';

/** What a collector needs of one listed symbol. */
export interface ListedSymbol {
  readonly symbol: string;
  /** `TRADING`, `SETTLING`, `PENDING_TRADING`, … */
  readonly status: string;
  readonly contractType: string;
  /** When it was listed, ms: there are no bars before. 0 when the answer does not say. */
  readonly onboardDate: number;
  /** When it is delivered or delisted, ms; for a perpetual in the year 2100 until that is decided. 0: not said. */
  readonly deliveryDate: number;
}

/**
 * What a status means for bars. `pending`: there are none yet, and its streams are mute. `trading`. `halted`: it
 * is listed and will be heard of again; streams stay, and bars that are not made are gaps. `ended`: the last
 * bar has been or is being made.
 */
export type Phase = 'pending' | 'trading' | 'halted' | 'ended';

/** Source: Public Endpoints Info, contract status, 2026-05-28. A word that is not here counts as `halted`. */
const PHASES: Readonly<Record<string, Phase>> = {
  PENDING_TRADING: 'pending',
  TRADING: 'trading',
  TRADING_HALT: 'halted',
  TRADING_CANCEL_ONLY: 'halted',
  PRE_DELIVERING: 'halted',
  PRE_SETTLE: 'halted',
  DELIVERING: 'ended',
  DELIVERED: 'ended',
  SETTLING: 'ended',
  CLOSE: 'ended',
};

/** What a listing means at an exchange time; one that is past its delivery has ended, whatever its status. */
export function phaseOf(listed: ListedSymbol, exchangeTime: number): Phase {
  if (isDelivered(listed, exchangeTime)) return 'ended';
  return Object.hasOwn(PHASES, listed.status) ? (PHASES[listed.status] as Phase) : 'halted';
}

/** Whether its delivery is past at an exchange time. */
export const isDelivered = ({ deliveryDate }: ListedSymbol, exchangeTime: number): boolean =>
  deliveryDate > 0 && deliveryDate <= exchangeTime;

/** Whether it is one of those that `all` means, once it trades. */
export const isPerpetual = ({ contractType }: ListedSymbol): boolean =>
  contractType === 'PERPETUAL' || contractType === 'TRADIFI_PERPETUAL';

type Fields = Readonly<Record<string, unknown>>;

const textOf = (value: unknown, absent: string): string => (typeof value === 'string' ? value : absent);
const timeOf = (value: unknown): number => (isTime(value) ? value : 0);

/** The symbols of an exchangeInfo body. Its `serverTime` is not to be trusted: it may be days old. */
export function readSymbols(body: unknown): ListedSymbol[] {
  const symbols = typeof body === 'object' && body !== null && 'symbols' in body ? body.symbols : undefined;
  if (!Array.isArray(symbols)) throw malformedBody(REST_PATHS.exchangeInfo, 'no symbols in the answer');
  return (symbols as unknown[]).flatMap((entry) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { symbol, status, contractType, onboardDate, deliveryDate } = entry as Fields;
    if (typeof symbol !== 'string') return [];
    return [
      {
        symbol,
        status: textOf(status, 'UNKNOWN'),
        contractType: textOf(contractType, ''),
        onboardDate: timeOf(onboardDate),
        deliveryDate: timeOf(deliveryDate),
      },
    ];
  });
}

/** What a `!contractInfo` event says of its symbol; undefined when it says nothing that can be understood. */
export function readContractInfo(fields: Fields): ListedSymbol | undefined {
  const { s: symbol, cs: status, ct, ot, dt } = fields;
  if (typeof symbol !== 'string' || symbol === '' || typeof status !== 'string') return undefined;
  return {
    symbol,
    status,
    contractType: textOf(ct, ''),
    onboardDate: timeOf(ot),
    deliveryDate: timeOf(dt),
  };
}
