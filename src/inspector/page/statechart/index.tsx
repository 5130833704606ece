export { Statechart } from './statechart.tsx';
