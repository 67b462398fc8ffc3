/**
 * What each route costs, told before the day: hand-overs of a stick; codes, frames and time of every QR code sequence that
 * somebody shows; parts and bytes in a relay. All of it follows from the plan, since messages have a fixed form
 * (plan/sizes.ts). Public; no effects.
 *
 * By QR the lead's machine is the hub (outgoing.ts): the others show it their own message, and it shows what all of them
 * still lack. In a relay everybody puts a part for everybody else.
 */
import { SCHEMES } from '../curves/scheme.ts';
import { isKeying, isRekey, type Plan, planSeats, schemeOf, seated } from '../plan/plan.ts';
import { blobBytes, commonBytes, sizedPlan } from '../plan/sizes.ts';
import { slotsOf, speakers } from '../protocols/machine.ts';
import { codesNeeded } from '../qr/code.ts';
import { fittingVersion } from '../qr/terminal.ts';
import { MAX_PAYLOAD } from '../qr/ur.ts';
import { padme } from '../relay/padme.ts';
import { MAX_PAYLOAD_BYTES } from '../relay/relay.ts';
import { encodeParcel, isParcelPath, MAX_PARCEL_BYTES, type ParcelFile } from '../transport/parcel.ts';
import { concat } from '../wire/bytes.ts';
import { CeremonyError, fail } from '../wire/errors.ts';
import { BASE_FILE } from './base.ts';
import { codeFlow, type Turn } from './code-flow.ts';
import { scriptFacts } from './script-facts.ts';
import { scriptVisits } from './script-steps.ts';

/** Where codes are looked at. The last two are pictures: an animated GIF or the page of `qr show --page`, on any screen. */
export const SCREENS = ['80x24', '120x40', 'v20', 'v27'] as const;
export type ScreenName = (typeof SCREENS)[number];

const fitting = (columns: number, rows: number): number => fittingVersion(columns, rows) ?? fail('E_INTERNAL', 'a terminal too small for any code');
/** The version of the codes on each. */
export const VERSIONS: Readonly<Record<ScreenName, number>> = { '80x24': fitting(80, 24), '120x40': fitting(120, 40), v20: 20, v27: 27 };

/** Codes shown in a second. */
export const FRAMES_A_SECOND = 8;
/** The part of the frames that no camera gets. */
export const LOSS = 0.2;
/**
 * Frames that the fountain code needs beyond count / (1 − loss), as a factor: by trials 1.12 to 1.28 below 40 codes, 1.14 at
 * 72, 1.07 from 360 on. @param codes at least 2
 */
const excess = (codes: number): number => Math.min(1.3, 1.05 + 0.9 / Math.sqrt(codes));

/** One thing shown as codes of one version. */
export interface CodeCost {
  /** Different codes; 1 stands still. */
  readonly codes: number;
  /** Codes shown until a reader has everything, on average, at {@link LOSS}. */
  readonly frames: number;
  /** At {@link FRAMES_A_SECOND}, rounded up; taking aim is not counted. */
  readonly seconds: number;
}

/** What so many bytes cost on a screen; null where they do not go by codes of its version at all. */
export function codeCost(bytes: number, screen: ScreenName): CodeCost | null {
  if (bytes > MAX_PAYLOAD - 5) return null;
  let codes: number;
  try {
    codes = codesNeeded(VERSIONS[screen], 'low', bytes);
  } catch (e) {
    if (e instanceof CeremonyError && e.code === 'E_TOO_LARGE') return null;
    throw e;
  }
  const frames = Math.ceil((codes / (1 - LOSS)) * (codes === 1 ? 1 : excess(codes)));
  return { codes, frames, seconds: Math.ceil(frames / FRAMES_A_SECOND) };
}

/** Seconds as people say them. */
export const inWords = (seconds: number): string => (seconds < 100 ? `${String(seconds)} s` : `${String(Math.ceil(seconds / 60))} min`);

type Costs = Readonly<Record<ScreenName, CodeCost | null>>;
const costs = (bytes: number): Costs => Object.fromEntries(SCREENS.map((s) => [s, codeCost(bytes, s)])) as Record<ScreenName, CodeCost | null>;

/** One message of the protocol. */
export interface MessageCost {
  /** Name of the slot. */
  readonly message: string;
  readonly slot: number;
  /** Who says it. */
  readonly from: readonly string[];
  /** Bytes of the blob; of the largest where they differ. */
  readonly bytes: number;
  readonly codes: Costs;
  /** Said only where the attempt goes wrong: not counted in any sum. */
  readonly optional?: true;
}

/** One thing that somebody shows as codes and others scan. */
export interface Showing {
  /** What it holds, for people: `plan, commit`; `commit`; `commit of 3, deal`. */
  readonly what: string;
  /** Who shows something like it: the lead, or each of the others. */
  readonly from: readonly string[];
  /** Who scans each of them. */
  readonly to: readonly string[];
  /** Of the largest of them. */
  readonly bytes: number;
  readonly codes: Costs;
}

/** What each route costs. */
export interface TransportBudget {
  readonly messages: readonly MessageCost[];
  /** One stick that goes round. */
  readonly folder: { readonly handOvers: number };
  readonly qr: {
    readonly hub: string;
    readonly shows: readonly Showing[];
    /** Sequences that are scanned from beginning to end: by the hub, by everybody else at most, and together. */
    readonly scans: { readonly hub: number; readonly others: number; readonly all: number };
    /** Of all scans together, if no two cameras look at one screen; null where something does not go at all. */
    readonly minutes: Readonly<Record<ScreenName, number | null>>;
  };
  /** Parts that are put in, and about how many bytes; steps of all participants (one each with `--wait`). */
  readonly relay: { readonly parts: number; readonly bytes: number; readonly visits: number };
}

const OPENING_PATHS = new Set(['PLAN.yaml', 'intent.json', 'message.bin', 'base/rehearsal.json']);

/** Of the files that the lead puts into a folder, those that somebody needs to join. */
export function openingOf(plan: Plan, files: readonly ParcelFile[]): ParcelFile[] {
  return files.filter(({ path }) => OPENING_PATHS.has(path) || (path === BASE_FILE && isRekey(plan)));
}

/** Bytes of files in one parcel; where they are more than a parcel holds, their sum. */
function parcelBytes(files: readonly ParcelFile[]): number {
  const travel = files.filter((f) => isParcelPath(f.path));
  if (travel.length === 0) return 0;
  const sum = travel.reduce((n, f) => n + f.bytes.length + f.path.length + 5, 0);
  return sum > MAX_PARCEL_BYTES ? sum : encodeParcel(travel).length;
}

interface Blob {
  readonly from: string;
  readonly slot: number;
  readonly bytes: number;
  /** How many of them are the same in everybody's message of the round. */
  readonly common: number;
}

/** Above this, what messages have in common no longer matters. */
const MAX_PACKED = 1 << 20;

/** Bytes that look random, the same for the same seed. */
function noise(seed: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0, x = seed + 0x9e3779b9; i < length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    out[i] = x >>> 24;
  }
  return out;
}

/** A message as long as the real one will be, that deflates with the others as the real ones will. */
function standIn({ from, slot, bytes, common }: Blob, seed: number): ParcelFile {
  const blob = concat(Uint8Array.of(1), noise(1, 16), Uint8Array.of(slot, seed, 0, 0, 0, slot), noise(1000 * slot + seed, 32), noise(slot, common), noise(1000 * slot + seed + 500, bytes - 55 - common));
  return { path: `round-${String(slot)}/${from}.blob`, bytes: blob };
}

/** Bytes of blobs as they are shown together, at most; one travels as it is. Deflating is exact to a hundredth. */
function together(opening: readonly ParcelFile[], blobs: readonly Blob[]): number {
  if (blobs.length === 1 && opening.length === 0) return blobs[0]?.bytes ?? 0;
  const sum = blobs.reduce((n, b) => n + b.bytes, 0);
  if (sum > MAX_PACKED) return parcelBytes(opening) + sum + 30 * blobs.length;
  return Math.ceil(1.01 * parcelBytes([...opening, ...blobs.map(standIn)])) + 8;
}

/**
 * What a ceremony costs on each route.
 * @param opening the files with which it begins, PLAN.yaml among them: {@link openingOf}
 * @param cards of the participants, which only a relay carries along
 */
export function transportBudget(plan: Plan, opening: readonly ParcelFile[], cards: readonly ParcelFile[] = []): TransportBudget {
  const seats = planSeats(plan);
  const sized = sizedPlan(plan);
  const names = seated(plan).map((p) => p.name);
  const nameOf = new Map(seats.map((s) => [s.leaf, s.name]));
  const rounds = slotsOf(plan).map(({ slot, name, ...more }) => {
    const blobs = speakers(plan, slot, seats).map((leaf): Blob => ({ from: nameOf.get(leaf) ?? '', slot, bytes: blobBytes(sized, name, leaf), common: commonBytes(sized, name) }));
    return { slot, name, optional: 'optional' in more, blobs };
  });
  const messages = rounds.map(({ slot, name, optional, blobs }): MessageCost => {
    const bytes = Math.max(...blobs.map((b) => b.bytes));
    return { message: name, slot, from: blobs.map((b) => b.from), bytes, codes: costs(bytes), ...(optional ? { optional: true } : {}) };
  });
  const required = rounds.filter((r) => !r.optional);
  const begins = openingOf(plan, opening);
  const visits = scriptVisits(scriptFacts(plan)).length;
  return {
    messages,
    folder: { handOvers: visits - 1 },
    qr: byCodes(plan.lead, names, required, begins),
    // the lead's first message comes with the invitation too
    relay: byRelay(plan, required, parcelBytes([...begins, ...cards]) + (required[0]?.blobs.find((b) => b.from === plan.lead)?.bytes ?? 0), visits),
  };
}

interface Round {
  readonly slot: number;
  readonly name: string;
  readonly blobs: readonly Blob[];
}

/** What a turn shows, for people: rounds by name, `of all` where others' messages go along. */
function whatShown({ opening, shows }: Turn, rounds: readonly Round[]): string {
  const names = rounds.flatMap(({ name }, round) => {
    const count = shows.filter((m) => m.round === round).length;
    return count === 0 ? [] : [count === 1 ? name : `${name} of ${String(count)}`];
  });
  return [...(opening ? ['plan'] : []), ...names].join(', ');
}

/** Who shows what to whom, from the first code to the last. */
function byCodes(lead: string, names: readonly string[], rounds: readonly Round[], opening: readonly ParcelFile[]): TransportBudget['qr'] {
  const turns = codeFlow(lead, names, rounds.map((r) => r.name), Object.fromEntries(rounds.map((r) => [r.name, r.blobs.map((b) => b.from)])));
  const hub = names.includes(lead) ? lead : (names[0] as string);
  const shows: { what: string; from: string[]; to: string[]; bytes: number }[] = [];
  turns.forEach((turn, i) => {
    const changes = turns.findIndex((t, k) => k > i && t.who === turn.who);
    const to = turns.slice(i + 1, changes < 0 ? undefined : changes).filter((t) => t.scans.includes(turn.who)).map((t) => t.who);
    if (to.length === 0) return;
    const what = whatShown(turn, rounds);
    const blobs = turn.shows.flatMap(({ round, from }) => rounds[round]?.blobs.filter((b) => b.from === from) ?? []);
    const bytes = together(turn.opening ? opening : [], blobs);
    // the others, each with the same to show to the hub, are one row
    const last = shows.at(-1);
    if (last && turn.who !== hub && last.what === what && last.to.join() === to.join()) {
      last.from.push(turn.who);
      last.bytes = Math.max(last.bytes, bytes);
    } else shows.push({ what, from: [turn.who], to, bytes });
  });
  const done = shows.map((s): Showing => ({ ...s, codes: costs(s.bytes) }));
  const minutes = (screen: ScreenName): number | null => {
    let seconds = 0;
    for (const { codes, from, to } of done) {
      const cost = codes[screen];
      if (!cost) return null;
      seconds += cost.seconds * from.length * to.length;
    }
    return Math.ceil(seconds / 6) / 10;
  };
  const by = (who: string): number => turns.reduce((n, t) => n + (t.who === who ? t.scans.length : 0), 0);
  return {
    hub,
    shows: done,
    scans: { hub: by(hub), others: Math.max(...names.filter((n) => n !== hub).map(by)), all: turns.reduce((n, t) => n + t.scans.length, 0) },
    minutes: Object.fromEntries(SCREENS.map((s) => [s, minutes(s)])) as Record<ScreenName, number | null>,
  };
}

// three lengths and the signature (relay/part.ts); what a sealed box of libsodium adds
const INNER_BYTES = 12 + 64;
const SEAL_BYTES = 48;

/** Bytes of the part of a relay that carries so many bytes. */
export function partBytes(payload: number, from: string, to: string, label: string): number {
  const hash = '0'.repeat(64);
  return padme(INNER_BYTES + JSON.stringify({ from, identity: hash, label, sid: hash, to, v: 1 }).length + payload) + SEAL_BYTES;
}

/**
 * About how many bytes a finished participant adds: its transcript, and the certificate where there is one. Deflated: of the
 * text around hashes, keys and signatures little is left. By trials; good to some hundredths.
 */
function endBytes(plan: Plan, rounds: readonly Round[]): number {
  const n = seated(plan).length;
  const others = plan.kind === 'sign' ? 4 : plan.kind === 'refresh' || plan.kind === 'reshare' ? 3 : 2;
  const transcript = (rounds.length + others) * (300 + 57 * n);
  if (!isKeying(plan)) return transcript;
  const confirms = rounds.at(-1)?.blobs ?? [];
  const distinct = confirms.reduce((sum, b, i) => sum + b.bytes - (i === 0 ? 0 : b.common), 0);
  const auxiliary = SCHEMES[schemeOf(plan)].protocol === 'cggmp24' ? plan.participants.length * 4 * 384 : 0;
  return Math.ceil(transcript + 450 + 230 * n + 1.03 * distinct + 1.12 * auxiliary);
}

function byRelay(plan: Plan, rounds: readonly Round[], opening: number, visits: number): TransportBudget['relay'] {
  const names = seated(plan).map((p) => p.name);
  const end = endBytes(plan, rounds);
  const said = [
    { from: plan.lead, bytes: opening, label: 'opening' },
    ...rounds.flatMap(({ slot, blobs }) => blobs.map(({ from, bytes }) => ({ from, bytes, label: `message-${String(slot)}` }))),
    ...names.map((from) => ({ from, bytes: end, label: 'end' })),
  ];
  const parts = said.flatMap(({ from, bytes, label }) => names.filter((n) => n !== from).map((to) => (bytes > MAX_PAYLOAD_BYTES ? 0 : partBytes(bytes, from, to, label))));
  return { parts: parts.length, bytes: parts.reduce((sum, bytes) => sum + bytes, 0), visits };
}
