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

/**
 * Order of the stops: round and round, beginning with the lead, until everybody has completed. With n participants and
 * r rounds these are n + r·(n − 1) stops. No order needs fewer: before the last message of a round is there, the others
 * cannot send the next, so each round costs one stop of everybody but the one who sent last, and so does completing.
 * @param order participants, the lead first
 * @param rounds at least one; everybody sends one message a round
 */
export function visitOrder(order: readonly string[], rounds: readonly string[]): Visit[] {
  const sent = new Map(order.map((name) => [name, 0]));
  const done = new Set<string>();
  const visits: Visit[] = [];
  for (let i = 0; done.size < order.length; i++) {
    const who = order[i % order.length] as string;
    const sends: string[] = [];
    for (;;) {
      const next = sent.get(who) as number;
      if (next === rounds.length || [...sent.values()].some((n) => n < next)) break;
      sends.push(rounds[next] as string);
      sent.set(who, next + 1);
    }
    const completes = [...sent.values()].every((n) => n === rounds.length);
    if (completes) done.add(who);
    visits.push({ who, sends, completes });
  }
  return visits;
}
