/**
 * The way of one stick round the participants. At each stop a participant takes in what is on the stick and advances as
 * far as that permits: it may send a message of two rounds in one stop. Public; knows rounds by name only.
 */

/** One stop of the stick. */
export interface Visit {
  readonly who: string;
  /** Rounds whose message is written at this stop, in order; empty when this stop only completes. */
  readonly sends: readonly string[];
  /** Every message of every round is on the stick: this participant completes here. */
  readonly completes: boolean;
}

/** Rounds in which not everybody speaks, and who does. */
export type Speakers = Readonly<Record<string, readonly string[]>>;

/**
 * Order of the stops: round and round, beginning with the lead, until everybody has completed. Where n participants speak
 * in all of r rounds these are n + r·(n − 1) stops. No order needs fewer: before the last message of a round is there, the
 * others cannot send the next, so each round costs one stop of everybody but the one who sent last, and so does completing.
 * @param order participants, the lead first
 * @param rounds at least one; everybody sends one message a round, except where `only` says who does
 */
export function visitOrder(order: readonly string[], rounds: readonly string[], only: Speakers = {}): Visit[] {
  const awaited = rounds.map((round) => new Set(order.filter((name) => only[round]?.includes(name) ?? true)));
  const done = new Set<string>();
  const visits: Visit[] = [];
  for (let i = 0; done.size < order.length; i++) {
    const who = order[i % order.length] as string;
    const sends: string[] = [];
    for (const [r, missing] of awaited.entries()) {
      if (missing.delete(who)) sends.push(rounds[r] as string);
      if (missing.size > 0) break;
    }
    const completes = awaited.every((missing) => missing.size === 0);
    if (completes) done.add(who);
    visits.push({ who, sends, completes });
  }
  return visits;
}
