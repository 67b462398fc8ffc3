/** Verification of whole records: finished ones of every scheme and shape, incomplete ones, and several copies at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANY, bytesOf, chainOf, DERIVED, faults, finishedCeremonies, firstFault, type Fixture, linesOf, verify, withFiles } from './fixture.ts';

let f: Fixture;
beforeAll(async () => {
  f = await finishedCeremonies();
});
afterAll(() => {
  f.table.close();
});
