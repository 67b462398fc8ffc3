import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watch } from '../../src/rehearsal/watch.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('tells nothing of what is done within a second', () => {
  const told: string[] = [];
  const quiet = watch((text) => told.push(text), () => 'prime 1 of 4');
  vi.advanceTimersByTime(999);
  quiet();
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([]);
});

it('tells every new thing, at most once a second, and what lasts every ten seconds', () => {
  const told: string[] = [];
  let now = 'opening the home …';
  const quiet = watch((text) => told.push(text), () => now);
  vi.advanceTimersByTime(1000);
  expect(told).toEqual(['opening the home …']);
  now = 'prime 1 of 4';
  now = 'prime 2 of 4';
  vi.advanceTimersByTime(1000);
  expect(told).toEqual(['opening the home …', 'prime 2 of 4']);
  vi.advanceTimersByTime(9000);
  expect(told).toHaveLength(2);
  vi.advanceTimersByTime(1000);
  expect(told.slice(2)).toEqual(['prime 2 of 4 (12 s)']);
  vi.advanceTimersByTime(10_000);
  expect(told.slice(3)).toEqual(['prime 2 of 4 (22 s)']);
  quiet();
});
