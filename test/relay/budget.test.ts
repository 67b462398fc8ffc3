/** Room that is shared: nobody takes it all, nothing is given back twice, and one network counts as one. */
import { expect, it } from 'vitest';
import { budget, networkOf } from '../../src/relay/budget.ts';

it('holds no more than there is in all, nor more than one may have, and takes back what was set aside', () => {
  const room = budget(100, 40);
  const first = room.take('a', 30);
  expect(room.take('a', 11)).toBeUndefined();
  expect(room.take('a', 10)).toBeDefined();
  expect(room.take('b', 61)).toBeUndefined();
  const large = room.take('b', 60);
  expect(large).toBeDefined();
  expect(room.take('c', 1)).toBeUndefined();
  first?.();
  first?.(); // more often does nothing
  expect(room.take('c', 31)).toBeUndefined();
  expect(room.take('c', 30)).toBeDefined();
  large?.();
  expect(room.take('b', 60)).toBeDefined();
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['::', '0:0:0:0'],
  [undefined, ''],
])('%s stands for %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
