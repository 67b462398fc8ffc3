/** `next` and `join` over a relay: take in, step, give out; with --wait again and again until it is done. */
import type { Home } from '../ceremony/home.ts';
import type { Identity } from '../ceremony/identity.ts';
import { step } from '../ceremony/engine.ts';
import { Doors, type Invitation } from '../ceremony/invitations.ts';
import { fetchFrom, pushTo, Visited } from '../ceremony/relay-route.ts';
import type { Port, Step } from '../ceremony/port.ts';
import { requireRoute } from '../ceremony/routes.ts';
import type { CeremonyStore } from '../ceremony/store.ts';
import { openRelay } from '../relay/open-relay.ts';
import { boxOf } from '../relay/place.ts';
import { relayReady } from '../relay/relay-key.ts';
import type { Relay } from '../relay/relay.ts';
import { unpack } from '../transport/unpack.ts';
import { CeremonyError, type ErrorCode, EXIT, type ExitCode, fail } from '../wire/errors.ts';
import { chosenOrNone } from './choose.ts';
import { type Context, realPath } from './context.ts';
import { fileName } from './qr-files.ts';

/** Whether a command stays and goes on by itself. */
export interface WaitOptions {
  /** Minutes; true: until the plan expires. */
  readonly wait?: string | true;
}

/** Flags of `join` over a relay. */
export interface JoinOptions extends WaitOptions {
  /** Which invitation, by the beginning of its ceremony id. */
  readonly ceremony?: string;
  /** Folder with cards of leads whom this home does not know. */
  readonly cards?: string;
}

/** What may pass: a relay that is away, and files in the folder that are no messages, which only matter while something is missing. */
const PASSING = new Set<ErrorCode>(['E_RELAY', 'E_FORMAT', 'E_SIGNATURE', 'E_VERSION']);
const POLL_MS = 20_000;
const RETRY_MS = 3_000;
/** Between two looks, whatever the relay says. */
const BREATH_MS = 200;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The relay that --via names, for the length of one piece of work. */
export async function withRelay<T>(ctx: Context, work: (relay: Relay) => Promise<T>): Promise<T> {
  if (ctx.route?.by !== 'relay') fail('E_USAGE', 'no relay is named', { field: 'via', remedy: 'Add --via relay:ADDRESS (a folder, http://, https://, nats:// or tls://).' });
  await relayReady();
  const relay = await openRelay(ctx.route.url, { creds: ctx.flags.relayCreds, ca: ctx.flags.relayCa });
  try {
    return await work(relay);
  } finally {
    await relay.close();
  }
}

/** When waiting ends. @throws E_USAGE */
function deadline(ctx: Context, wait: string | true | undefined, expires: string): number {
  if (wait === undefined) return 0;
  if (wait === true) return Date.parse(expires);
  if (!/^[0-9]{1,5}$/.test(wait)) fail('E_USAGE', `--wait ${wait}: not a number of minutes`, { field: 'wait' });
  return ctx.now().getTime() + Number(wait) * 60_000;
}

/** One ceremony over one relay, in this process. */
export class RelayLeg {
  readonly #ctx: Context;
  readonly #relay: Relay;
  readonly #store: CeremonyStore;
  readonly #folder: string;
  readonly #identity: Identity;
  readonly #port: Port;
  readonly #visited = new Visited();
  readonly #fetched: string[] = [];
  readonly #pushed: string[] = [];
  #problems: readonly CeremonyError[] = [];
  /** Names in the ceremony's box when it was last looked at. */
  #known = 0;

  constructor(ctx: Context, relay: Relay, store: CeremonyStore, folder: string, port: Port, identity: Identity) {
    this.#ctx = ctx;
    this.#relay = relay;
    this.#store = store;
    this.#folder = folder;
    this.#port = port;
    this.#identity = identity;
  }

  async take(): Promise<void> {
    const { fetched, problems, count } = await fetchFrom(this.#relay, this.#store, this.#folder, this.#identity, this.#visited);
    this.#fetched.push(...fetched);
    this.#problems = problems;
    this.#known = count;
  }
  async give(): Promise<void> {
    const { pushed, problems } = await pushTo(this.#relay, this.#store, this.#folder, this.#identity, this.#visited);
    this.#pushed.push(...pushed);
    this.#problems = [...this.#problems, ...problems];
    this.#known += pushed.length;
  }

  /** Take in, step, give out. What was said before a refusal reaches the others too. */
  async once(): Promise<Step> {
    await this.take();
    let result: Step;
    try {
      result = await step(this.#store, this.#folder, this.#port);
    } catch (e) {
      await this.give().catch((cause: unknown) => {
        // the refusal is what matters; it is in the folder too
        if (!(cause instanceof CeremonyError)) throw cause;
        this.#ctx.out.say(`! ${cause.message}`);
      });
      throw e;
    }
    await this.give();
    return result;
  }

  /**
   * Goes on until it is done, or waiting is over. A relay that is away for a while is asked again.
   * @param first a step that was taken already
   */
  async run(until: number, first?: Step): Promise<Step> {
    let made = first;
    const did: string[] = [];
    let told = '';
    const tell = (text: string): void => {
      if (text !== told) this.#ctx.out.say(text);
      told = text;
    };
    for (;;) {
      try {
        if (made) await this.give();
        const result = made ?? (await this.once());
        made = undefined;
        did.push(...result.did);
        const left = until - this.#ctx.now().getTime();
        if (result.nextAction.code === 'DONE' || left <= 0) return this.#told({ ...result, did });
        if (result.needs.length > 0) tell(`waiting for ${result.needs.map((n) => `${n.from} (${n.what})`).join(', ')} …`);
        await pause(BREATH_MS);
        await this.#relay.wait(boxOf(this.#store.session.sid), this.#known, Math.min(POLL_MS, left));
      } catch (e) {
        if (!(e instanceof CeremonyError) || !PASSING.has(e.code) || this.#ctx.now().getTime() >= until) throw e;
        tell(`! ${e.message}${e.facts.file === undefined ? '' : ` (${e.facts.file})`}; trying again …`);
        await pause(RETRY_MS);
      }
    }
  }

  /** The step as it stands after the relay: nothing is to be carried by hand. */
  #told(result: Step): Step & { readonly relay: Record<string, unknown> } {
    const { code } = result.nextAction;
    const lines = [
      ...result.lines,
      ...(this.#fetched.length > 0 ? [`From the relay: ${this.#fetched.join(', ')}`] : []),
      ...(this.#pushed.length > 0 ? [`To the relay: ${this.#pushed.join(', ')}`] : []),
      ...this.#problems.map((p) => `! ${p.message}${p.facts.remedy === undefined ? '' : `. ${p.facts.remedy}`}`),
    ];
    const missing = result.needs.map((n) => n.from).join(', ');
    const text = `${code === 'CARRY_OUT' ? `Your message lies in the relay. ` : ''}Waiting for ${missing}. Then: mpc-ceremony next ${fileName(this.#folder)} --via relay:${this.#relay.address} (add --wait to stay and go on by itself)`;
    return {
      ...result,
      lines,
      nextAction: code === 'CARRY_OUT' || code === 'BRING_IN' ? { ...result.nextAction, code: 'WAIT', text } : result.nextAction,
      relay: { fetched: this.#fetched, pushed: this.#pushed, problems: this.#problems.map((p) => ({ code: p.code, participant: p.facts.participant, text: p.message })) },
    };
  }
}

/** `next FOLDER --via relay:ADDRESS`. */
export async function nextByRelay(ctx: Context, home: Home, { store, folder }: { store: CeremonyStore; folder: string }, options: WaitOptions): Promise<ExitCode> {
  requireRoute(store.plan, 'relay');
  const port = ctx.port(home);
  const until = deadline(ctx, options.wait, store.plan.expires);
  return withRelay(ctx, async (relay) => ctx.out.step(await new RelayLeg(ctx, relay, store, folder, port, await port.unlock()).run(until)));
}

/** Gives out what a command that began or joined a ceremony has made, and waits where that is asked for. */
export async function afterStep(ctx: Context, home: Home, folder: string, first: Step, options: WaitOptions): Promise<ExitCode> {
  // a lead without a seat has no ceremony of its own
  const store = (await chosenOrNone(ctx, home, folder))?.store;
  if (!store) return ctx.out.step(first);
  requireRoute(store.plan, 'relay');
  const port = ctx.port(home);
  const until = deadline(ctx, options.wait, store.plan.expires);
  return withRelay(ctx, async (relay) => ctx.out.step(await new RelayLeg(ctx, relay, store, folder, port, await port.unlock()).run(until, first)));
}

/** A look behind the doors; a relay that is away while this command waits is asked again. @throws E_RELAY */
async function lookPatiently(ctx: Context, doors: Doors, until: number): Promise<Invitation[]> {
  try {
    return await doors.look(ctx.now());
  } catch (e) {
    if (!(e instanceof CeremonyError) || e.code !== 'E_RELAY' || ctx.now().getTime() >= until) throw e;
    ctx.out.say(`! ${e.message}; trying again …`);
    return [];
  }
}

/**
 * Fills a folder with the ceremony that a lead left for this participant at the relay.
 * @returns whether there was one; else the command has said that it waits
 * @throws E_USAGE where there are several and none was named, E_CARD where this home has nobody's card
 */
export async function takeInvitation(ctx: Context, home: Home, folder: string, options: JoinOptions): Promise<boolean> {
  const identity = await ctx.port(home).unlock();
  return withRelay(ctx, async (relay) => {
    const until = deadline(ctx, options.wait === true ? '1440' : options.wait, '');
    const doors = new Doors(home, identity, relay, options.cards === undefined ? undefined : realPath(options.cards));
    if (doors.leads.length === 0) fail('E_CARD', 'this home has nobody’s card, and an invitation is found by the card of its lead', { field: 'cards', remedy: 'mpc-ceremony peers add LEAD.card (and compare its words: peers verify LEAD), or add --cards DIR.' });
    for (;;) {
      const [one, ...more] = (await lookPatiently(ctx, doors, until)).filter((i) => options.ceremony === undefined || i.ceremony.startsWith(options.ceremony));
      if (one && more.length === 0) {
        unpack(ctx.disk, folder, one.files, `the invitation by ${one.plan.lead}`, { ceremony: one.ceremony });
        ctx.out.say(`${one.plan.lead} invites to ${one.label} (ceremony ${one.ceremony.slice(0, 8)}); its plan lies in ${folder}`);
        return true;
      }
      if (one) fail('E_USAGE', `there are ${String(more.length + 1)} invitations at the relay`, { field: 'ceremony', details: [one, ...more].map((i) => `${i.ceremony.slice(0, 8)}  ${i.label}, led by ${i.plan.lead}, made ${i.plan.created}`), remedy: 'Name one with --ceremony and the beginning of its id.' });
      if (ctx.now().getTime() >= until) {
        const text = `None of ${doors.leads.join(', ')} has left a plan for you at the relay. Tell the lead, or try later: mpc-ceremony join ${fileName(folder)} --via relay:${relay.address}`;
        const lines = [...doors.problems].map(([lead, e]) => `! What ${lead} left cannot be used: ${e.message}`);
        ctx.out.result({ schema: 'mpc-ceremony/step/1', participant: home.facts.name, did: [], wrote: [], needs: [{ from: null, what: 'plan' }], nextAction: { code: 'WAIT', who: home.facts.name, text }, exit: EXIT.waiting }, [...lines, text]);
        return false;
      }
      await pause(RETRY_MS);
    }
  });
}
