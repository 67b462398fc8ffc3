/** Ceremonies whose messages are counted as they travel: by codes by way of the lead, and through a relay. */
import { expect } from 'vitest';
import { openingFiles, outgoing } from '../../src/ceremony/outgoing.ts';
import { pushTo, Visited } from '../../src/ceremony/relay-route.ts';
import type { CeremonyStore } from '../../src/ceremony/store.ts';
import { transportBudget } from '../../src/ceremony/transport-budget.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { blobBytes, sizedPlan } from '../../src/plan/sizes.ts';
import { type Inbound, slotName } from '../../src/protocols/machine.ts';
import { type Crew, perform } from '../../src/protocols/make-crew.ts';
import type { Relay } from '../../src/relay/relay.ts';
import { encodeParcel, type ParcelFile } from '../../src/transport/parcel.ts';
import type { Table } from './harness.ts';
import type { Run } from './run.ts';

/** Makes everything and checks no proof: lengths do not depend on it. */
const trusting: Crew = { run: (task, args) => Promise.resolve(args.map((a) => (task.startsWith('check') ? { ok: true as const, value: undefined } : perform(task, a)) as ReturnType<typeof perform<typeof task>>)) };


/** Everybody at the table believes every proof. */
export function trust(table: Table): void {
  for (const [label, party] of table.parties) table.parties.set(label, { ...party, port: { ...party.port, crew: trusting } });
}

/** The predicted length of every message that was said is its real one; and nothing else was said. */
export function expectSizes(plan: Plan, messages: Inbound, said: Readonly<Record<string, number>>): void {
  const sized = sizedPlan(plan);
  const all = [...messages].flatMap(([slot, sent]) => [...sent.values()].map((e) => ({ name: slotName(plan, slot), leaf: e.leaf, bytes: e.bytes.length })));
  const counts: Record<string, number> = {};
  for (const { name } of all) counts[name] = (counts[name] ?? 0) + 1;
  expect(counts).toEqual(said);
  expect(all.map(({ name, leaf }) => [name, leaf, blobBytes(sized, name, leaf)])).toEqual(all.map(({ name, leaf, bytes }) => [name, leaf, bytes]));
}

const storeOf = (run: Run, label: string): CeremonyStore => run.store(label) ?? expect.unreachable(`${label} has no ceremony`);
const shown = (run: Run, label: string): number => encodeParcel(outgoing(storeOf(run, label))).length;

/** Goes on as codes would carry it, by way of the lead; what everybody showed, in bytes, in the order of the budget. */
async function byWayOfLead(run: Run, lead: string): Promise<number[]> {
  const others = run.honest.filter((n) => n !== lead);
  const bytes = [shown(run, lead)];
  while (run.code(lead) !== 'DONE') {
    const own: number[] = [];
    for (const who of others) {
      run.carry([lead, who]);
      await run.next(who);
      own.push(shown(run, who));
    }
    for (const who of others) run.carry([who, lead]);
    await run.next(lead);
    bytes.push(Math.max(...own), shown(run, lead));
  }
  for (const who of others) {
    run.carry([lead, who]);
    await run.next(who);
    expect(run.code(who)).toBe('DONE');
  }
  return bytes;
}

/** An upper bound, and a close one. */
function expectClose(told: readonly number[], real: readonly number[], margin = 0.03): void {
  expect(told).toHaveLength(real.length);
  real.forEach((bytes, i) => {
    expect([i, told[i]]).toEqual([i, expect.toSatisfy((n: number) => n >= bytes && n <= bytes * (1 + margin) + 24)]);
  });
}

/** A relay in memory, which counts. */
export class Counting implements Relay {
  readonly address = 'memory';
  readonly parts = new Map<string, Uint8Array>();
  put(box: string, name: string, bytes: Uint8Array): Promise<'stored' | 'there'> {
    const there = this.parts.has(`${box}/${name}`);
    this.parts.set(`${box}/${name}`, bytes);
    return Promise.resolve(there ? 'there' : 'stored');
  }
  get(box: string, name: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.parts.get(`${box}/${name}`));
  }
  list(box: string): Promise<string[]> {
    return Promise.resolve([...this.parts.keys()].filter((k) => k.startsWith(`${box}/`)).map((k) => k.slice(33)));
  }
  wait(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a finished ceremony puts into a relay. */
async function relayed(run: Run): Promise<{ parts: number; bytes: number }> {
  const relay = new Counting();
  for (const label of run.honest) await pushTo(relay, storeOf(run, label), run.folder(label), run.table.party(label).identity, new Visited());
  return { parts: relay.parts.size, bytes: [...relay.parts.values()].reduce((n, b) => n + b.length, 0) };
}

const cardsOf = (run: Run, label: string): ParcelFile[] => run.files(label).filter((f) => f.startsWith('cards/')).map((path) => ({ path, bytes: run.file(label, path) as Uint8Array }));

/** The whole budget of a ceremony against what it then cost. */
export async function expectBudget(run: Run, lead: string): Promise<void> {
  const budget = transportBudget(run.plan, openingFiles(storeOf(run, lead)), cardsOf(run, lead));
  const real = await byWayOfLead(run, lead);
  // the last picture of the lead is for nobody where the others have everything
  const told = budget.qr.shows.map((s) => s.bytes);
  expect([0, 1]).toContain(real.length - told.length);
  expectClose(told, real.slice(0, told.length));
  const put = await relayed(run);
  expect(budget.relay.parts).toBe(put.parts);
  expect(budget.relay.bytes / put.bytes).toBeGreaterThan(0.93);
  expect(budget.relay.bytes / put.bytes).toBeLessThan(1.1);
}

