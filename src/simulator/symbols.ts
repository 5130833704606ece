import { hash, keyOf, unit } from './hash.ts';
import { decimalText, type Scale } from './units.ts';

/** One contract of the simulated exchange, with the fields of exchangeInfo that a collector reads. */
export interface SymbolInfo {
  readonly symbol: string;
  readonly pair: string;
  readonly contractType: string;
  readonly status: string;
  /** First moment of trading, ms. */
  readonly onboardDate: number;
  /** ms; 4133404800000 for a perpetual that is not being delisted. */
  readonly deliveryDate: number;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  /** Decimal text. */
  readonly tickSize: string;
  readonly stepSize: string;
}

/** What the generator needs to invent the trades of a symbol. */
export interface SymbolShape {
  readonly key: number;
  /** Price around which the symbol moves, in ticks. */
  readonly baseTicks: number;
  /** Largest quantity of one step, in lots. */
  readonly maxLots: number;
  /** Largest number of trades in one step. */
  readonly maxTrades: number;
  /** Of 1000 minutes, how many have no trade. */
  readonly idlePerMille: number;
  readonly scale: Scale;
}

/** Deliverable date of a perpetual. Source: exchangeInfo, 2026-10-07. */
export const NEVER_DELIVERED = 4_133_404_800_000;
/** First minute of the simulated exchange: 2019-09-01T00:00Z, the month in which the real one opened. */
export const ONBOARD_DATE = Date.UTC(2019, 8, 1);

interface Level {
  readonly baseTicks: number;
  readonly tickDecimals: number;
  readonly pricePad: string;
  readonly lotDecimals: number;
  readonly maxLots: number;
}

/** Lifelike levels; tick and lot sizes as on the exchange in 2026, text forms as its frames show them. */
const MAJORS: Readonly<Record<string, Level>> = {
  BTCUSDT: { baseTicks: 670_000, tickDecimals: 1, pricePad: '0', lotDecimals: 3, maxLots: 6000 },
  ETHUSDT: { baseTicks: 340_000, tickDecimals: 2, pricePad: '', lotDecimals: 3, maxLots: 12_000 },
  SOLUSDT: { baseTicks: 15_000, tickDecimals: 2, pricePad: '00', lotDecimals: 2, maxLots: 40_000 },
};

function inventedLevel(key: number): Level {
  const tickDecimals = 2 + (hash(key, 1) % 5);
  return {
    baseTicks: 2000 + Math.floor(unit(hash(key, 2)) * 98_000),
    tickDecimals,
    pricePad: '',
    lotDecimals: Math.max(0, 4 - tickDecimals),
    maxLots: 1000 + Math.floor(unit(hash(key, 3)) * 9000),
  };
}

const levelOf = (symbol: string, key: number): Level =>
  Object.hasOwn(MAJORS, symbol) ? (MAJORS[symbol] as Level) : inventedLevel(key);

/** Everything about a symbol that follows from the seed and its name. */
export function shapeOf(seed: number, symbol: string, quiet: boolean): SymbolShape {
  const key = keyOf(seed, symbol);
  const level = levelOf(symbol, key);
  const major = Object.hasOwn(MAJORS, symbol);
  return {
    key,
    baseTicks: level.baseTicks,
    maxLots: level.maxLots,
    maxTrades: major ? 40 : 6,
    idlePerMille: quiet ? 1000 : major ? 0 : 30,
    scale: {
      priceDecimals: level.tickDecimals,
      pricePad: level.pricePad,
      volumeDecimals: level.lotDecimals,
      quoteDecimals: level.tickDecimals + level.lotDecimals,
      quotePad: level.pricePad,
    },
  };
}

const NAME = /^(.+?)(USDT|USDC|BTC)?(_\d+)?$/su;

/** The exchangeInfo entry of a symbol. */
export function describeSymbol(symbol: string, scale: Scale, onboardDate: number): SymbolInfo {
  const [, base = symbol, quote = 'USDT', delivery] = NAME.exec(symbol) ?? [];
  return {
    symbol,
    pair: delivery === undefined ? symbol : symbol.slice(0, -delivery.length),
    contractType: delivery === undefined ? 'PERPETUAL' : 'CURRENT_QUARTER',
    status: 'TRADING',
    onboardDate,
    deliveryDate: NEVER_DELIVERED,
    baseAsset: base,
    quoteAsset: quote,
    tickSize: decimalText(1, scale.priceDecimals, scale.pricePad),
    stepSize: decimalText(1, scale.volumeDecimals),
  };
}

/** Refuses names that could not stand in a stream name or a path. */
export function assertSymbols(symbols: readonly string[]): void {
  if (symbols.length === 0) throw new RangeError('symbols: at least one symbol is needed');
  const seen = new Set<string>();
  for (const symbol of symbols) {
    if (!/^[^\s"\\/@?#%&a-z-]{1,40}$/u.test(symbol)) {
      throw new RangeError(`symbols: ${JSON.stringify(symbol)} is not a symbol; upper case, as BTCUSDT`);
    }
    if (seen.has(symbol)) throw new RangeError(`symbols: ${symbol} is given twice`);
    seen.add(symbol);
  }
}
