/**
 * `next FOLDER --via qr` and `join FOLDER --via qr`: show, scan, step, and again, until it is done or the operator leaves.
 * The lead's machine is the hub: the others show it their messages and read everybody's from it. Without a terminal one step
 * is taken, and what to run then is said.
 */
import { join } from 'node:path';
import { step } from '../ceremony/engine.ts';
import type { Home } from '../ceremony/home.ts';
import { readPlan } from '../ceremony/join.ts';
import type { Step } from '../ceremony/port.ts';
import { requireRoute } from '../ceremony/routes.ts';
import type { CeremonyStore } from '../ceremony/store.ts';
import { CeremonyError, type ExitCode, fail } from '../wire/errors.ts';
import { chosenOrNone } from './choose.ts';
import type { Context } from './context.ts';
import { intake, type IntakeEnd } from './qr-intake.ts';
import { ceremonyLoad, namesInWords, readersOf } from './qr-load.ts';
import { Receiver, Scan, ScanMemory } from './qr-scan.ts';
import { showCodes } from './qr-show.ts';
import { unpackMessage } from './qr-unpack.ts';
import { fileName, writeScanPage } from './qr-files.ts';
import { wrap } from './output.ts';
import { type Terminal, terminalOf } from './terminal.ts';

/** Where codes of an unfinished scan into a folder are remembered. */
export function memoryFile(folder: string): string {
  return join(folder, '.scan');
}

/** The terminal at which somebody may be asked; undefined for scripts. */
export function attended(ctx: Context): Terminal | undefined {
  return ctx.flags.input === false || ctx.out.json ? undefined : terminalOf();
}

const RECORDS = 'The transcripts were not carried by codes. Where files can be carried, bring transcript/NAME.jsonl of everybody together in one folder; mpc-ceremony transcript verify FOLDER then checks the whole record.';

/** What a step ends in when messages travel by codes. */
export function codesAction(result: Step, store: CeremonyStore, folder: string): Step['nextAction'] {
  const { code, who } = result.nextAction;
  const place = fileName(folder);
  const readers = namesInWords(readersOf(store));
  const show = `mpc-ceremony qr show ${place}`;
  const from = namesInWords(result.needs.map((n) => n.from));
  const source = store.seat.name !== store.plan.lead && readersOf(store).length === 1 ? `${readers}, who gives out everybody's` : from;
  const scan = `mpc-ceremony qr scan FILE… --into ${place}, then mpc-ceremony next ${place} --via qr`;
  if (code === 'CARRY_OUT') return { code: 'SHOW_QR', who, text: `Show your codes to ${readers}: ${show}, or as a picture: ${show} --gif FILE. Then scan theirs: ${scan}` };
  if (code === 'BRING_IN') return { code: 'SCAN_QR', who, text: `Waiting for ${from}. Scan the codes of ${source}: ${scan}` };
  if (code === 'DONE') return { code, who, text: `${result.nextAction.text} If somebody still needs your codes: ${show}. ${RECORDS}` };
  return result.nextAction;
}

/** One scan after the other into one folder: what is open of one goes on in the next. */
class FolderScan {
  readonly #ctx: Context;
  readonly #terminal: Terminal;
  readonly #receiver: Receiver;
  #wrote: string[] = [];

  constructor(ctx: Context, terminal: Terminal, folder: string) {
    this.#ctx = ctx;
    this.#terminal = terminal;
    const memory = new ScanMemory(ctx.disk, memoryFile(folder), (text) => {
      ctx.out.say(text);
    });
    this.#receiver = new Receiver(new Scan(memory), async (message) => {
      const { wrote } = await unpackMessage(ctx.disk, folder, message, { needsPlan: true });
      this.#wrote.push(...wrote);
    });
  }

  /** Scans until something came that was not there. */
  async until(title: string, canShow: boolean): Promise<IntakeEnd> {
    for (;;) {
      this.#wrote = [];
      const end = await intake(this.#terminal, this.#receiver, { disk: this.#ctx.disk, title, canShow, makePage: () => writeScanPage(this.#ctx.disk) });
      if (end !== 'taken') return end;
      if (this.#wrote.length > 0) {
        this.#ctx.out.say(`✓ taken: ${this.#wrote.join(', ')}`);
        return end;
      }
      this.#ctx.out.say('Nothing new: you had all of that already.');
    }
  }
}

/**
 * Before joining: the plan must be there and allow codes; an empty folder is filled with the plan that the lead shows.
 * @throws E_ROUTE; E_EXISTS when the folder holds something else; E_MISSING without a terminal, with what to run
 */
export async function planByCodes(ctx: Context, home: Home, folder: string): Promise<void> {
  if (!ctx.disk.exists(join(folder, 'PLAN.yaml'))) await scanPlan(ctx, home, folder);
  requireRoute((await readPlan(home, folder)).plan, 'qr');
}

async function scanPlan(ctx: Context, home: Home, folder: string): Promise<void> {
  if (ctx.disk.list(folder).length + ctx.disk.dirs(folder).length > 0)
    fail('E_EXISTS', `${folder} holds no plan, but something else`, { file: folder, remedy: 'Name a folder that is empty or not there yet.' });
  const terminal = attended(ctx);
  if (!terminal) {
    const text = `Scan the codes of the lead: mpc-ceremony qr scan FILE… --into ${fileName(folder)}, then mpc-ceremony join ${fileName(folder)} --via qr`;
    Object.assign(ctx.about, { participant: home.facts.name, nextAction: { code: 'SCAN_QR', who: home.facts.name, text } });
    fail('E_MISSING', `there is no plan in ${folder} yet`, { file: join(folder, 'PLAN.yaml'), remedy: text });
  }
  const end = await new FolderScan(ctx, terminal, folder).until('The plan: the lead shows it on its screen.', false);
  if (end !== 'taken') fail('E_MISSING', 'the plan was not scanned to its end', { file: join(folder, 'PLAN.yaml'), remedy: `What was scanned is remembered. To go on: mpc-ceremony join ${fileName(folder)} --via qr` });
}

/** Goes on by codes after a step that began, joined or continued the ceremony of a folder. @throws E_ROUTE and what a step throws */
export async function goOnByCodes(ctx: Context, home: Home, argument: string, first: Step): Promise<ExitCode> {
  const chosen = await chosenOrNone(ctx, home, argument);
  if (!chosen) {
    const place = fileName(ctx.folder(argument));
    const text = `Show the plan to everybody who takes part: mpc-ceremony qr show ${place}, or as a picture: mpc-ceremony qr show ${place} --gif FILE`;
    return ctx.out.step(first.nextAction.code === 'CARRY_OUT' ? { ...first, nextAction: { ...first.nextAction, code: 'SHOW_QR', text } } : first);
  }
  const { store, folder } = chosen;
  requireRoute(store.plan, 'qr');
  const terminal = attended(ctx);
  const ending = (result: Step): ExitCode => ctx.out.step({ ...result, nextAction: codesAction(result, store, folder) });
  if (!terminal) return ending(first);

  const port = ctx.port(home);
  const scan = new FolderScan(ctx, terminal, folder);
  const isLead = readersOf(store).length > 1 || store.seat.name === store.plan.lead;
  let result = first;
  const did: string[] = [...first.did];
  for (;;) {
    const { code } = result.nextAction;
    const done = code === 'DONE';
    if (!done) tell(ctx, result);
    const sent = result.did.some((d) => d.endsWith('.sent'));
    // when it is done, the last messages may still have to reach the others; the lead gives out everybody's
    if (code === 'CARRY_OUT' || (done && result.did.length > 0 && (sent || isLead))) {
      if (!(await shown(ctx, terminal, store))) return ending({ ...result, did });
    }
    if (code !== 'CARRY_OUT' && code !== 'BRING_IN') return ending({ ...result, did });
    const end = await scan.until(title(result, store), ceremonyLoad(store) !== undefined);
    if (end === 'left') return ending({ ...result, did, nextAction: { ...result.nextAction, code: 'BRING_IN' } });
    if (end === 'show') {
      result = { ...result, did: [], lines: [], nextAction: { ...result.nextAction, code: 'CARRY_OUT' } };
      continue;
    }
    result = await stepOrTell(ctx, store, folder, port);
    did.push(...result.did);
  }
}

/** Shows what the others need. @returns false when the operator leaves, or this screen cannot show it: then the last words of the command say how else */
async function shown(ctx: Context, terminal: Terminal, store: CeremonyStore): Promise<boolean> {
  try {
    const load = ceremonyLoad(store);
    return load === undefined || (await showCodes(terminal, load, { goesOn: true })) === 'done';
  } catch (e) {
    if (!(e instanceof CeremonyError) || !['E_MACHINE', 'E_ROUTE', 'E_TOO_LARGE'].includes(e.code)) throw e;
    ctx.out.say(wrap(`! ${e.message}${e.facts.remedy === undefined ? '' : `. ${e.facts.remedy}`}`, 80));
    return false;
  }
}

function title(result: Step, store: CeremonyStore): string {
  const from = namesInWords(result.needs.map((n) => n.from));
  const [lead, more] = readersOf(store);
  return lead !== undefined && more === undefined && store.seat.name !== store.plan.lead ? `Codes of ${lead} are to come in; they bring the message${result.needs.length === 1 ? '' : 's'} of ${from}.` : `Codes of ${from} are to come in.`;
}

/** What happened, while the command goes on. */
function tell(ctx: Context, { did, lines }: Step): void {
  for (const d of did) ctx.out.say(`✓ ${d.replace(/^round(\d+)\.sent$/, 'message $1 written')}`);
  for (const text of lines) ctx.out.say(text);
}

/** A step; where it ends the ceremony, the others must hear why. */
async function stepOrTell(ctx: Context, store: CeremonyStore, folder: string, port: Parameters<typeof step>[2]): Promise<Step> {
  try {
    return await step(store, folder, port);
  } catch (e) {
    if (store.ending) ctx.out.say(`! The others must learn of this: mpc-ceremony qr show ${fileName(folder)}`);
    throw e;
  }
}
