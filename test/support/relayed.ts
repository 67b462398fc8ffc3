/** Participants at a table who meet only at a relay in memory, and a relay that does what it should not. */
import { join } from 'node:path';
import { Doors } from '../../src/ceremony/invitations.ts';
import { fetchFrom, type Fetched, pushTo, Visited } from '../../src/ceremony/relay-route.ts';
import { relayReady } from '../../src/relay/relay-key.ts';
import type { Relay } from '../../src/relay/relay.ts';
import { unpack } from '../../src/transport/unpack.ts';
import { equalBytes } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import type { Run } from './run.ts';

/** A relay in memory: places written once. */
export class MemoryRelay implements Relay {
  readonly address = 'memory';
  readonly boxes = new Map<string, Map<string, Uint8Array>>();
  readonly puts: { box: string; name: string; bytes: Uint8Array; result: 'stored' | 'there' }[] = [];

  /** Another relay with the same contents. */
  copy(): MemoryRelay {
    const other = new MemoryRelay();
    for (const [box, places] of this.boxes) other.boxes.set(box, new Map(places));
    return other;
  }
  #box(box: string): Map<string, Uint8Array> {
    const found = this.boxes.get(box) ?? new Map<string, Uint8Array>();
    this.boxes.set(box, found);
    return found;
  }
  put(box: string, name: string, bytes: Uint8Array): Promise<'stored' | 'there'> {
    const before = this.#box(box).get(name);
    if (before && !equalBytes(before, bytes)) return Promise.reject(new CeremonyError('E_RELAY_PART', 'other bytes lie there', { field: name }));
    const result = before ? 'there' : 'stored';
    this.#box(box).set(name, bytes);
    this.puts.push({ box, name, bytes, result });
    return Promise.resolve(result);
  }
  get(box: string, name: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#box(box).get(name));
  }
  list(box: string): Promise<string[]> {
    return Promise.resolve([...this.#box(box).keys()].sort());
  }
  wait(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a relay may answer instead of what lies there. */
export interface Misdeeds {
  readonly get?: (box: string, name: string, honest: Uint8Array | undefined) => Uint8Array | undefined;
  readonly list?: (box: string, honest: string[]) => string[];
}

/** An honest relay whose answers somebody exchanges. */
export function hostile(inner: MemoryRelay, { get, list }: Misdeeds): Relay {
  return {
    address: 'hostile',
    put: (box, name, bytes) => inner.put(box, name, bytes),
    get: async (box, name) => (get ?? ((_b, _n, bytes) => bytes))(box, name, await inner.get(box, name)),
    list: async (box) => (list ?? ((_b, names) => names))(box, await inner.list(box)),
    wait: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** Folder with everybody's cards, as `table.dkg` makes it. */
export function cardsOf(run: Run): string {
  return join(run.table.root, 'runs', run.id, 'cards');
}

/** One `next` or `join` of a participant over a relay; what the relay brought is kept, refusals stand in `run.last`. */
export async function visit(run: Run, label: string, relay: Relay): Promise<Fetched | undefined> {
  await relayReady();
  const { home, identity } = run.table.party(label);
  let brought: Fetched | undefined;
  const before = run.store(label);
  try {
    if (before) brought = await fetchFrom(relay, before, run.folder(label), identity, new Visited());
    else if (!run.file(label, 'PLAN.yaml')) {
      const [one] = await new Doors(home, identity, relay, cardsOf(run)).look(run.table.clock);
      if (!one) return undefined;
      unpack(home.disk, run.folder(label), one.files, 'an invitation', { ceremony: one.ceremony });
    }
  } catch (error) {
    if (!(error instanceof CeremonyError)) throw error;
    run.last.set(label, { error });
    return undefined;
  }
  await run.next(label);
  const store = run.store(label);
  if (store) await pushTo(relay, store, run.folder(label), identity, new Visited());
  return brought;
}

/** Everybody visits the relay until nobody's record grows any more. */
export async function settleOver(run: Run, relay: Relay, order: readonly string[] = run.honest): Promise<void> {
  for (let moved = true; moved; ) {
    moved = false;
    for (const label of order) {
      const before = run.store(label) ? run.head(label) : '';
      await visit(run, label, relay);
      moved ||= (run.store(label) ? run.head(label) : '') !== before;
    }
  }
  // the transcripts of those who ended last
  for (const label of order) await visit(run, label, relay);
}
