export { CandleChart } from './candle-chart.tsx';
