/** Symbols of simulated markets, one of them in Chinese characters, as in life. */
export const TEN_SYMBOLS = [
  'BTCUSDT',
  'ETHUSDT',
  'SOLUSDT',
  '币安人生USDT',
  'XRPUSDT',
  'ADAUSDT',
  'DOGEUSDT',
  'LINKUSDT',
  'LTCUSDT',
  'AVAXUSDT',
] as const;
