/**
 * Codes on the terminal: one that stands still, or a sequence that runs until a person has seen that the other side has it.
 * The screen is taken as a page of its own and given back on every way out.
 */
import { cellsOf, fittingVersion, terminalCode } from '../qr/terminal.ts';
import { QUIET_ZONE } from '../qr/code.ts';
import { fail } from '../wire/errors.ts';
import { type Load, namesInWords, SLOW_BYTES } from './qr-load.ts';
import { chooseVersion, codesAt, CodeSequence, DENSE, duration, MAX_FPS, singleVersion, USUAL_FPS } from './qr-sequence.ts';
import { interrupted, isInterrupt, oneLine, type Terminal } from './terminal.ts';
import { wrap } from './output.ts';
import { visibleLine } from '../wire/visible.ts';

/** How the showing ended: the other side has it, or a person leaves. */
export type ShowEnd = 'done' | 'left';

export interface ShowOptions {
  /** Version to begin with; chosen by the room there is, if not given. */
  readonly density?: number | undefined;
  /** Codes a second to begin with, 1 to 15. */
  readonly fps?: number | undefined;
  /** Whether Enter goes on to something else than q. */
  readonly goesOn?: boolean;
}

/** A quiet zone of 2 squares is read by every reader tried; it is used where 4 do not fit. */
const NARROW_ZONE = 2;
/** Columns that the words beside a code need. */
const PANEL = 24;
const MOST_PANEL = 48;
/** No code is so small that a part of a sequence would be all header. */
const LEAST_VERSION = 3;

/** What is on the screen. */
export interface Showing {
  readonly load: Load;
  readonly sequence: CodeSequence;
  /** Number of the code that is shown, from 1. */
  readonly at: number;
  readonly fps: number;
  readonly paused: boolean;
  readonly goesOn: boolean;
  /** A remark about the last key, if any. */
  readonly remark: string;
}

/** The quiet zone with which a version fits, or undefined if it does not. */
function borderFor(version: number, columns: number, rows: number): number | undefined {
  return [QUIET_ZONE, NARROW_ZONE].find((border) => {
    const cells = cellsOf(version, border);
    return cells.columns <= columns && cells.rows + 1 <= rows;
  });
}

/** The largest version for a window; undefined if it is too small for any sequence. */
export function largestVersion(columns: number, rows: number, border = NARROW_ZONE): number | undefined {
  const version = fittingVersion(columns, rows, { border, keep: 1 });
  return version === undefined || version < LEAST_VERSION ? undefined : version;
}

/** @throws E_MACHINE naming the size that would do */
function requireRoom(columns: number, rows: number): number {
  const most = largestVersion(columns, rows, QUIET_ZONE) ?? largestVersion(columns, rows);
  return most ?? fail('E_MACHINE', `this window of ${String(columns)} columns and ${String(rows)} rows is too small for a code`, { field: 'terminal', remedy: 'Make the window larger (80 columns and 24 rows at least; the larger, the fewer codes) or the letters smaller, or: mpc-ceremony qr show … --gif FILE' });
}

/** The line at the foot: what it is, which code of how many, size and speed. */
export function statusLine({ load, sequence, at, fps, paused, goesOn, remark }: Showing, columns: number, keys: boolean): string {
  const { count, version } = sequence;
  const round = Math.floor((at - 1) / count) + 1;
  const where = count === 1 ? 'the only code' : `code ${String(((at - 1) % count) + 1)} of ${String(count)}${round === 1 ? '' : `, round ${String(round)}`}`;
  const pace = count === 1 ? '' : paused ? '  stopped' : `  ${String(fps)} a second`;
  const facts = remark === '' ? `${where}  version ${String(version)}${pace}${keys ? `  ${goesOn ? 'Enter: they have it' : 'q: end'}` : ''}` : remark;
  const room = columns - facts.length - 3;
  return room < 8 ? oneLine(facts, columns) : `${oneLine(load.what, room)}   ${facts}`;
}

/** The words beside the code: what to do, and the keys. */
export function panel({ load, sequence, fps, goesOn }: Showing, width: number): string[] {
  const { count } = sequence;
  const to = load.readers.length === 0 ? 'whoever needs it' : namesInWords(load.readers);
  const time = count === 1 ? 'One code is enough.' : `${String(count)} codes are enough, in any order: about ${duration(count, fps).words} if none is missed.${load.message.length > SLOW_BYTES ? ' That is much for codes: a stick is faster.' : ''}`;
  const keys: [string, string][] = [
    ...(goesOn ? ([['Enter', 'they have it']] as [string, string][]) : []),
    ...(count === 1 ? [] : ([['< >', 'slower, faster'], ['space', 'stop, go on'], ['n', 'next by hand']] as [string, string][])),
    ['+ -', 'finer, coarser codes'],
    ['q', goesOn ? 'leave' : 'end'],
  ];
  const paragraphs = [visibleLine(load.what), `Hold this screen to the camera of ${to}.`, time].flatMap((text) => [...wrap(text, width).split('\n'), '']);
  return [...paragraphs, ...keys.map(([key, does]) => `${key.padEnd(6)} ${does}`)].map((line) => oneLine(line, width));
}

const go = (row: number, column = 1): string => `\x1b[${String(row)};${String(column)}H`;

/** A whole screen, as it is written: nothing of it is wider or higher than the window. */
export function drawn(showing: Showing, columns: number, rows: number, whole: boolean): string {
  const border = borderFor(showing.sequence.version, columns, rows);
  const parts: string[] = [whole ? '\x1b[0m\x1b[2J' : ''];
  if (border === undefined) {
    const text = `This window is too small for a code of version ${String(showing.sequence.version)}. Make it larger, or press - for coarser codes (who is reading begins anew), or q to end.`;
    wrap(text, columns).split('\n').slice(0, rows).forEach((line, i) => parts.push(go(i + 1), oneLine(line, columns)));
  } else {
    const { modules } = showing.sequence.code(showing.at);
    terminalCode(modules, { border }).forEach((line, i) => parts.push(go(i + 1), line));
    const cells = cellsOf(showing.sequence.version, border);
    const beside = Math.min(columns - cells.columns - 2, MOST_PANEL);
    const below = rows - cells.rows - 2;
    const words = beside >= PANEL ? panel(showing, beside) : panel(showing, columns - 4);
    const [top, left] = beside >= PANEL ? [2, cells.columns + 3] : [cells.rows + 2, 3];
    const shown = beside >= PANEL || below >= words.length;
    if (whole && shown) words.slice(0, rows - top).forEach((line, i) => parts.push(go(top + i, left), line));
    parts.push(go(rows), '\x1b[0m', statusLine(showing, columns - 1, !shown), '\x1b[K');
  }
  // one picture at a time for terminals that know how; others leave it out
  return `\x1b[?2026h${parts.join('')}\x1b[?2026l`;
}

/**
 * Shows codes until Enter or q.
 * @throws E_MACHINE when the window is too small, E_ROUTE when there would be too many codes, E_USAGE for a version that does
 *   not fit, E_INTERRUPTED on Ctrl-C
 */
export async function showCodes(terminal: Terminal, load: Load, options: ShowOptions = {}): Promise<ShowEnd> {
  const room = requireRoom(terminal.columns, terminal.rows);
  const most = (): number => largestVersion(terminal.columns, terminal.rows) ?? 0;
  const { density, goesOn = false } = options;
  if (density !== undefined && density > most())
    fail('E_USAGE', `codes of version ${String(density)} do not fit into this window; the largest is ${String(most())}`, { field: 'density', remedy: 'Make the window larger or the letters smaller, or use --gif FILE.' });
  // one code that stands still is worth a narrower quiet zone
  const version = density ?? singleVersion(load.message.length, 'low', Math.min(most(), DENSE)) ?? chooseVersion(load.message.length, 'low', room);
  let showing: Showing = { load, sequence: new CodeSequence(load.message, version), at: 1, fps: options.fps ?? USUAL_FPS, paused: false, goesOn, remark: '' };

  return new Promise<ShowEnd>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let told = 0;
    const givers: (() => void)[] = [];
    let ended = false;
    const end = (settle: () => void): void => {
      ended = true;
      clearTimeout(timer);
      for (let give = givers.pop(); give; give = givers.pop()) give();
      settle();
    };
    const guard = (work: () => void): void => {
      try {
        work();
      } catch (e) {
        end(() => {
          reject(e instanceof Error ? e : new Error(String(e)));
        });
      }
    };
    const draw = (whole: boolean): void => {
      terminal.write(drawn(showing, terminal.columns, terminal.rows, whole));
    };
    const tick = (): void => {
      guard(() => {
        // a remark stays for two seconds
        if (showing.remark !== '' && ++told >= 2 * showing.fps) change({});
        if (!showing.paused && showing.sequence.count > 1 && !terminal.behind) {
          showing = { ...showing, at: showing.at + 1 };
          draw(false);
        }
        timer = setTimeout(tick, 1000 / showing.fps);
      });
    };
    const change = (to: Partial<Showing>): void => {
      showing = { ...showing, remark: '', ...to };
      told = 0;
      draw(true);
    };
    const denser = (by: 1 | -1): void => {
      const next = showing.sequence.version + by;
      const remark = next > most() ? 'finer codes do not fit into this window' : next < LEAST_VERSION || codesAt(next, 'low', load.message.length) === undefined ? 'no coarser codes can carry this' : undefined;
      if (remark !== undefined) change({ remark });
      else change({ sequence: new CodeSequence(load.message, next), at: 1, remark: 'another size: who is reading begins anew' });
    };
    const key = (k: string): void => {
      // what was typed ahead must not answer the next question
      if (ended) return;
      guard(() => {
        if (isInterrupt(k)) end(() => {
          reject(interrupted());
        });
        else if (k === 'q' || k === 'Q') end(() => {
          resolve('left');
        });
        else if (k === '\r' || k === '\n') end(() => {
          resolve('done');
        });
        else if (k === '+' || k === '=') denser(1);
        else if (k === '-' || k === '_') denser(-1);
        else if (k === '>' || k === '.') change({ fps: Math.min(MAX_FPS, showing.fps + 1) });
        else if (k === '<' || k === ',') change({ fps: Math.max(1, showing.fps - 1) });
        else if (k === ' ') change({ paused: !showing.paused });
        else if (k === 'n' || k === 'N') change({ paused: true, at: showing.sequence.count === 1 ? 1 : showing.at + 1 });
      });
    };
    guard(() => {
      givers.push(terminal.page());
      givers.push(terminal.keys(key, () => {
        end(() => {
          reject(interrupted('the terminal was closed'));
        });
      }));
      givers.push(terminal.resized(() => {
        guard(() => {
          draw(true);
        });
      }));
      draw(true);
      timer = setTimeout(tick, 1000 / showing.fps);
    });
  });
}
