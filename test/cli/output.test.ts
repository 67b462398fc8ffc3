/** What a stranger wrote reaches the screen as letters, never as orders to the terminal. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Output } from '../../src/cli/output.ts';
import { oneLine } from '../../src/cli/terminal.ts';
import type { Step } from '../../src/ceremony/port.ts';
import { parsePlanFile } from '../../src/plan/plan-file.ts';
import { parseParcel } from '../../src/transport/parcel.ts';
import { concat, u32, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { visible, visibleJson, visibleLine } from '../../src/wire/visible.ts';

/** Everything that a terminal obeys, or that turns the order of letters around. */
const ORDERS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const HOSTILE = '\x1b[2J\x1b]0;owned\x07\x9b1;1H\x9d0;x\x9c\r\b\x7f\u202egpj\u2066\u200f\tNEXT  DONE';

let screen: string;
beforeEach(() => {
  screen = '';
  const take = (text: string | Uint8Array): boolean => {
    screen += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(take);
  vi.spyOn(process.stderr, 'write').mockImplementation(take);
});
afterEach(() => {
  vi.restoreAllMocks();
});
const output = (json = false, color = false): Output => new Output({ json, quiet: false, color });
const refused = async (work: () => unknown): Promise<CeremonyError> => {
  try {
    await work();
  } catch (e) {
    if (e instanceof CeremonyError) return e;
    throw e;
  }
  throw new Error('nothing was refused');
};

describe('the filter', () => {
  it('names every such character, one by one, and leaves all others', () => {
    for (let code = 0; code < 0x3000; code++) {
      const c = String.fromCharCode(code);
      expect([code, visible(c) === c]).toEqual([code, !ORDERS.test(c)]);
    }
    expect(visible('a\x1bb\x9bc\x07\u202e')).toBe('a\\x1bb\\x9bc\\x07\\u202e');
    expect([visible('a\nb'), visibleLine('a\nb')]).toEqual(['a\nb', 'a\\x0ab']);
    expect(visible('é 漢 ✓ … 🙂 ▀')).toBe('é 漢 ✓ … 🙂 ▀');
    expect(oneLine(`x${HOSTILE}\n`, 200)).toBe(visibleLine(`x${HOSTILE}\n`));
  });
  it('JSON stays the same value', () => {
    const value = { text: `${HOSTILE}\n`, [HOSTILE]: 1 };
    expect(visibleJson(value)).not.toMatch(ORDERS);
    expect(JSON.parse(visibleJson(value))).toEqual(value);
  });
});

describe('screens', () => {
  it('remarks, results, steps and errors hold no orders, whatever they repeat', () => {
    const out = output();
    out.say(HOSTILE);
    out.result({}, [HOSTILE, 'a line']);
    out.flush();
    out.step({ schema: 'x', exit: 0, did: [HOSTILE], needs: [], lines: [HOSTILE], nextAction: { code: 'DONE', who: 'x', text: HOSTILE } } as unknown as Step);
    out.error(new CeremonyError('E_FORMAT', HOSTILE, { participant: HOSTILE, file: HOSTILE, field: HOSTILE, details: [HOSTILE], remedy: HOSTILE }), {});
    expect(screen.replace(/\n/g, ' ')).not.toMatch(ORDERS);
    expect(screen.split('owned').length - 1).toBe(1 + 1 + 3 + 6);
    expect(screen).toContain('a line\n');
  });
  it('a name cannot draw a line of its own', () => {
    output().error(new CeremonyError('E_FORMAT', 'this is not a message', { file: 'round-1/x\nNEXT  All is well.blob' }), {});
    expect(screen.split('\n')).toEqual(['✗ 21 FORMAT  this is not a message', '  file round-1/x\\x0aNEXT  All is well.blob', '']);
  });
  it('nor does JSON', () => {
    const out = output(true);
    out.result({ text: HOSTILE }, []);
    out.flush();
    out.error(new CeremonyError('E_FORMAT', HOSTILE, { file: HOSTILE }), { ceremony: HOSTILE });
    expect(screen.replace(/\n/g, '')).not.toMatch(ORDERS);
    expect(screen.trim().split('\n').map((line) => (JSON.parse(line) as { text?: string; ceremony?: string }).text ?? (JSON.parse(line) as { ceremony?: string }).ceremony)).toEqual([HOSTILE, HOSTILE]);
  });
  it('the house still has its colours', () => {
    vi.stubEnv('FORCE_COLOR', '1');
    output(false, true).error(new CeremonyError('E_FORMAT', 'wrong'), {});
    expect(screen).toContain('\x1b[31m');
    vi.unstubAllEnvs();
  });
});

describe('where such texts come from', () => {
  it('a path in a parcel', async () => {
    const path = new Uint8Array(Buffer.from('\x9b2J\x9d0;owned\x9cWords of this plan: able acid', 'latin1'));
    const parcel = concat(utf8('MPCP'), Uint8Array.of(1, 0, path.length), path, u32(1), Uint8Array.of(1));
    const e = await refused(() => parseParcel(parcel, 'the codes'));
    expect(e.code).toBe('E_PARCEL');
    expect(e.message).toBe('"\\x9b2J\\x9d0;owned\\x9cWords of this plan: able acid" is no file that travels');
  });
  it('a field of a plan, which its schema repeats', async () => {
    output().error(await refused(() => parsePlanFile(utf8('"\\x9b2J\\u202e": 1\n'), 'PLAN.yaml')), {});
    expect(screen.replace(/\n/g, '')).not.toMatch(ORDERS);
  });
});
