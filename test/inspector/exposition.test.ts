/** The reader of the text format refuses what is none. */
import { expect, test } from 'vitest';
import { readExposition, sampled } from './exposition.ts';

const HEAD = '# HELP a_total Words.\n# TYPE a_total counter\n';
const HISTOGRAM = '# HELP h Words.\n# TYPE h histogram\n';

test('families, labels with escapes and values are read', () => {
  const families = readExposition(
    `${HEAD}a_total{x="1",y="a\\"b\\\\c\\nd"} 1.5e-7\n\n${HISTOGRAM}h_bucket{le="0.5"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n`,
  );
  expect([...families.keys()]).toEqual(['a_total', 'h']);
  expect(sampled(families, 'a_total', { x: '1', y: 'a"b\\c\nd' })).toBe(1.5e-7);
  expect(sampled(families, 'a_total', { x: '1' })).toBeUndefined();
  expect(sampled(families, 'h_bucket', { le: '+Inf' })).toBe(2);
});

test.each([
  ['no end of line', `${HEAD}a_total 1`],
  ['no type', 'a_total 1\n'],
  ['no help', '# TYPE a_total counter\na_total 1\n'],
  ['twice', `${HEAD}${HEAD}`],
  ['outside', `${HEAD}b_total 1\n`],
  ['a line twice', `${HEAD}a_total{x="1",y="2"} 1\na_total{y="2",x="1"} 1\n`],
  ['a bare quote', `${HEAD}a_total{x="1"2"} 1\n`],
  ['a wrong escape', `${HEAD}a_total{x="\\t"} 1\n`],
  ['no value', `${HEAD}a_total{x="1"}\n`],
  ['undefined', `${HEAD}a_total undefined\n`],
  ['no number', `${HEAD}a_total Nan\n`],
  ['below 0', `${HEAD}a_total -1\n`],
  ['a label twice', `${HEAD}a_total{x="1",x="2"} 1\n`],
  [
    'bounds',
    `${HISTOGRAM}h_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
  ],
  ['counts', `${HISTOGRAM}h_bucket{le="2"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`],
  ['no bucket for all', `${HISTOGRAM}h_bucket{le="2"} 2\nh_sum 1\nh_count 2\n`],
  ['another count', `${HISTOGRAM}h_bucket{le="+Inf"} 2\nh_sum 1\nh_count 3\n`],
  ['no sum', `${HISTOGRAM}h_bucket{le="+Inf"} 2\nh_count 2\n`],
])('refused: %s', (_, text) => expect(() => readExposition(text)).toThrow());
