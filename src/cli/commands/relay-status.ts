/** `relay status`: which places of a ceremony are filled: who has sent what, and who is awaited. Changes nothing. */
import { placesForMe, placesFromMe } from '../../ceremony/relay-route.ts';
import { boxOf } from '../../relay/place.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { choose } from '../choose.ts';
import type { Context } from '../context.ts';
import { withRelay } from '../via-relay.ts';

export async function relayStatus(ctx: Context, argument: string | undefined): Promise<ExitCode> {
  const home = await ctx.home('read');
  const { store } = await choose(ctx, home, argument);
  const identity = await ctx.port(home).unlock();
  return withRelay(ctx, async (relay) => {
    const there = new Set(await relay.list(boxOf(store.session.sid)));
    const messages = store.messages();
    const leaf = (name: string): number => store.session.seats.find((s) => s.name === name)?.leaf ?? 0;
    const places = placesForMe(store, identity)
      .filter((p) => p.label.startsWith('message-') || there.has(p.name))
      .map((p) => ({ from: p.from, what: p.what, place: p.name, held: messages.get(Number(p.label.slice(8)))?.has(leaf(p.from)) === true, onRelay: there.has(p.name) }));
    const sent = placesFromMe(store, identity).map((p) => ({ to: p.to, what: p.what, place: p.name, onRelay: there.has(p.name) }));
    const state = (p: { held?: boolean; onRelay: boolean }): string => (p.held === true ? 'here' : p.onRelay ? 'at the relay, not fetched' : 'not sent');
    ctx.out.result({ schema: 'mpc-ceremony/relay-status/1', participant: store.seat.name, ceremony: store.label, relay: relay.address, box: boxOf(store.session.sid), places, sent, exit: EXIT.ok }, [
      `${store.label} at ${relay.address}`,
      'For you:',
      ...places.map((p) => `  ${p.from.padEnd(18)} ${p.what.padEnd(12)} ${state(p)}`),
      'From you:',
      ...(sent.length === 0 ? ['  nothing yet'] : sent.map((p) => `  to ${p.to.padEnd(15)} ${p.what.padEnd(12)} ${p.onRelay ? 'at the relay' : 'NOT THERE: mpc-ceremony next FOLDER --via relay:ADDRESS'}`)),
    ]);
    return EXIT.ok;
  });
}
