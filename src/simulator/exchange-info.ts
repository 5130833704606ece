import type { SymbolInfo } from './symbols.ts';

/** How old the `serverTime` of exchangeInfo is, ms: as recorded on 2021-07-22, about 37 h. */
const STALE_MS = 37 * 3_600_000;

/** Decimal places of a tick or a step as text. */
const places = (text: string): number => (text.includes('.') ? text.length - text.indexOf('.') - 1 : 0);

/** The body of exchangeInfo, with the fields of 2026-10-07. Its `serverTime` is stale on purpose. */
export function exchangeInfo(symbols: Iterable<SymbolInfo>, now: number, weightLimit: number): object {
  return {
    timezone: 'UTC',
    serverTime: now - STALE_MS,
    futuresType: 'U_MARGINED',
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: weightLimit },
      { rateLimitType: 'ORDERS', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 300 },
    ],
    exchangeFilters: [],
    assets: [{ asset: 'USDT', marginAvailable: true, autoAssetExchange: '-10000' }],
    symbols: Array.from(symbols, describe),
  };
}

function describe(info: SymbolInfo): object {
  const { tickSize, stepSize } = info;
  return {
    symbol: info.symbol,
    pair: info.pair,
    contractType: info.contractType,
    deliveryDate: info.deliveryDate,
    onboardDate: info.onboardDate,
    status: info.status,
    maintMarginPercent: '2.5000',
    requiredMarginPercent: '5.0000',
    baseAsset: info.baseAsset,
    quoteAsset: info.quoteAsset,
    marginAsset: info.quoteAsset,
    pricePrecision: places(tickSize),
    quantityPrecision: places(stepSize),
    baseAssetPrecision: 8,
    quotePrecision: 8,
    underlyingType: 'COIN',
    underlyingSubType: [],
    triggerProtect: '0.0500',
    liquidationFee: '0.012500',
    marketTakeBound: '0.05',
    maxMoveOrderLimit: 10_000,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: tickSize, maxPrice: '4529764', tickSize },
      { filterType: 'LOT_SIZE', minQty: stepSize, maxQty: '1000', stepSize },
      { filterType: 'MARKET_LOT_SIZE', minQty: stepSize, maxQty: '120', stepSize },
      { filterType: 'MAX_NUM_ORDERS', limit: 200 },
      { filterType: 'MIN_NOTIONAL', notional: '5' },
    ],
    orderTypes: ['LIMIT', 'MARKET', 'STOP', 'STOP_MARKET', 'TAKE_PROFIT', 'TAKE_PROFIT_MARKET'],
    timeInForce: ['GTC', 'IOC', 'FOK', 'GTX', 'GTD'],
    permissionSets: ['GRID', 'COPY', 'DCA', 'PSB'],
  };
}
