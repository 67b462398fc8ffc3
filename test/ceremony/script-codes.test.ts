/** The printed script and the flow of messages where the plan allows QR codes alone, or a relay alone. */
import { describe, expect, test } from 'vitest';
import { codeFlow, type Turn } from '../../src/ceremony/code-flow.ts';
import { roomScript } from '../../src/ceremony/room-script.ts';
import { carrierOf, type ScriptFacts, scriptCommands, scriptSteps, scriptVisits } from '../../src/ceremony/script-steps.ts';
import { words } from '../../src/wire/words.ts';

const facts: ScriptFacts = {
  kind: 'dkg',
  name: 'treasury',
  mode: 'production',
  lead: 'alice',
  participants: [{ name: 'alice' }, { name: 'bob' }, { name: 'carol' }],
  witnesses: [],
  rounds: ['commit', 'deal', 'confirm'],
  routes: ['qr'],
  scheme: 'frost-ed25519',
  quorumText: '2-of(alice, bob, carol)',
  explanation: ['Any 2 of alice, bob and carol.'],
  words: words(Uint8Array.from({ length: 16 }, (_, i) => i)),
  attended: false,
  created: '2026-01-31T12:00:00Z',
  expires: '2026-02-14T12:00:00Z',
};
const short = (f: ScriptFacts): string[] => scriptSteps(f).map((s) => `${s.who} ${s.code}${s.command === undefined ? '' : `: ${s.command}`}`);
const turns = (...of: Parameters<typeof codeFlow>): string[] => codeFlow(...of).map((t: Turn) => `${t.who}${t.first ? '*' : ''} <${t.scans.join(' ')}> says ${t.sends.join(' ')} shows ${t.opening ? 'plan ' : ''}${t.shows.map((m) => `${m.from}${String(m.round)}`).join(' ')}${t.done ? ' done' : ''}`);

describe('the flow', () => {
  test('three people, three rounds: the lead in the middle', () => {
    expect(turns('a', ['a', 'b', 'c'], ['commit', 'deal', 'confirm'])).toEqual([
      'a* <> says 0 shows plan a0',
      'b* <a> says 0 shows b0',
      'c* <a> says 0 shows c0',
      'a <b c> says 1 shows a0 b0 c0 a1',
      'b <a> says 1 shows b1',
      'c <a> says 1 shows c1',
      'a <b c> says 2 shows a1 b1 c1 a2',
      'b <a> says 2 shows b2',
      'c <a> says 2 shows c2',
      'a <b c> says  shows a2 b2 c2 done',
      'b <a> says  shows b2 done',
      'c <a> says  shows c2 done',
    ]);
  });
  test('two people: each goes two rounds at once', () => {
    expect(turns('a', ['a', 'b'], ['nonce', 'share'])).toEqual(['a* <> says 0 shows plan a0', 'b* <a> says 0 1 shows b0 b1', 'a <b> says 1 shows a1 done', 'b <a> says  shows b1 done']);
    expect(turns('a', ['a', 'b'], ['share'])).toEqual(['a* <> says 0 shows plan a0', 'b* <a> says 0 shows b0 done', 'a <b> says  shows a0 done']);
  });
  test('only the lead deals: nobody is called for a round in which it has nothing to say', () => {
    expect(turns('a', ['b', 'c', 'a'], ['deal', 'confirm'], { deal: ['a'], confirm: ['b', 'c'] })).toEqual(['a* <> says 0 shows plan a0', 'b* <a> says 1 shows b1', 'c* <a> says 1 shows c1', 'a <b c> says  shows b1 c1 done', 'b <a> says  shows b1 done', 'c <a> says  shows c1 done']);
  });
  test('a newcomer joins where it first speaks, and sees the plan until then', () => {
    expect(turns('a', ['a', 'b', 'd'], ['deal', 'confirm'], { deal: ['a', 'b'] })).toEqual(['a* <> says 0 shows plan a0', 'b* <a> says 0 1 shows b0 b1', 'a <b> says 1 shows plan a0 b0 b1 a1', 'd* <a> says 1 shows d1 done', 'a <d> says  shows b1 a1 d1 done', 'b <a> says  shows b1 done']);
  });
  test('a lead without a seat shows the plan to the first', () => {
    expect(turns('z', ['a', 'b'], ['share'])).toEqual(['z* <> says  shows plan ', 'a* <z> says 0 shows plan a0', 'b* <a> says 0 shows b0 done', 'a <b> says  shows a0 done']);
  });
  test.each([[2, 1], [3, 4], [5, 3], [9, 4]])('%i people, %i rounds: everybody ends with everything, and each screen is scanned by somebody', (n, r) => {
    const names = Array.from({ length: n }, (_, i) => `p${String(i)}`);
    const flow = codeFlow('p0', names, Array.from({ length: r }, (_, i) => `r${String(i)}`));
    expect(new Set(flow.filter((t) => t.done).map((t) => t.who))).toEqual(new Set(names));
    expect(flow.reduce((sum, t) => sum + t.sends.length, 0)).toBe(n * r);
    if (n > 2) expect(flow.reduce((sum, t) => sum + t.scans.length, 0)).toBe((n - 1) * (2 * r + 1));
  });
});

describe('the script', () => {
  test('codes in place of the stick: SHOW_QR and SCAN_QR in place of CARRY_OUT and BRING_IN', () => {
    expect(short(facts)).toEqual([
      "alice SHOW_QR: mpc-ceremony dkg --name treasury --scheme frost-ed25519 --quorum '2-of(alice, bob, carol)' --cards cards --routes qr --out treasury-dkg --unattended --via qr",
      'bob SCAN_QR: mpc-ceremony join treasury-dkg --via qr',
      'bob SHOW_QR',
      'carol SCAN_QR: mpc-ceremony join treasury-dkg --via qr',
      'carol SHOW_QR',
      'alice SCAN_QR: mpc-ceremony next treasury-dkg --via qr',
      'alice SHOW_QR',
      'bob SCAN_QR: mpc-ceremony next treasury-dkg --via qr',
      'bob SHOW_QR',
      'carol SCAN_QR: mpc-ceremony next treasury-dkg --via qr',
      'carol SHOW_QR',
      'alice SCAN_QR: mpc-ceremony next treasury-dkg --via qr',
      'alice SHOW_QR',
      'bob SCAN_QR: mpc-ceremony next treasury-dkg --via qr',
      'bob SHOW_QR',
      'carol SCAN_QR: mpc-ceremony next treasury-dkg --via qr',
      'carol SHOW_QR',
      'alice SCAN_QR: mpc-ceremony next treasury-dkg --via qr',
      'alice DONE',
      'bob SCAN_QR: mpc-ceremony next treasury-dkg --via qr',
      'bob DONE',
      'carol SCAN_QR: mpc-ceremony next treasury-dkg --via qr',
      'carol DONE',
      'all POWER_OFF',
    ]);
    const texts = scriptSteps(facts).map((s) => s.text);
    expect(texts[0]).toBe("The screen shows the plan and its message of round commit. It stays until bob and carol have it whole.");
    expect(texts[5]).toBe('alice holds the camera to the screen of bob and carol, one after the other, until its own screen says that everything is there.');
    expect(texts[6]).toBe('The screen shows the messages of round commit of alice, bob and carol and its message of round deal. It stays until bob and carol have it whole.');
    expect(texts.join(' ')).not.toMatch(/stick/);
  });
  test('people compare words after they have scanned the plan, approve before anything is shown, and write down the words at the end', () => {
    const attended = { ...facts, attended: true };
    expect(short(attended).slice(0, 4)).toEqual([expect.stringContaining('alice SHOW_QR: '), 'bob SCAN_QR: mpc-ceremony join treasury-dkg --via qr', 'bob COMPARE_WORDS', 'bob SHOW_QR']);
    expect(short(attended).filter((s) => s.endsWith('WRITE_DOWN'))).toEqual(['alice WRITE_DOWN', 'bob WRITE_DOWN', 'carol WRITE_DOWN']);
    const sign: ScriptFacts = { ...attended, kind: 'sign', name: 'sweep', participants: [{ name: 'alice' }, { name: 'bob' }], rounds: ['share'] };
    expect(short(sign)).toEqual([
      'alice APPROVE: mpc-ceremony sign --intent intent.json --signers alice,bob --routes qr --out sweep --via qr', 'alice SHOW_QR',
      'bob SCAN_QR: mpc-ceremony join sweep --via qr', 'bob COMPARE_WORDS', 'bob APPROVE', 'bob DONE',
      'alice SCAN_QR: mpc-ceremony next sweep --via qr', 'alice DONE', 'all POWER_OFF',
    ]);
    expect(scriptSteps(sign)[5]?.text).toContain('The screen shows its message of round share. It stays until alice has it whole.');
  });
  test('on paper', () => {
    const html = roomScript(facts);
    for (const there of ['Messages travel by', 'QR codes', 'a camera or a scanner at each laptop', 'Folder on each laptop', '12 commands']) expect(html).toContain(there);
    expect(html).not.toContain('stick:');
    expect(html).not.toContain('one empty stick');
    expect(scriptCommands(scriptSteps(facts))).toHaveLength(12);
  });
  test('only where codes are the only route, and nobody witnesses', () => {
    expect(carrierOf(facts)).toBe('codes');
    for (const routes of [['folder', 'qr'], ['qr', 'relay'], ['folder']] as const) expect(carrierOf({ ...facts, routes })).toBe('stick');
    expect(carrierOf({ ...facts, witnesses: ['erin'] })).toBe('stick');
    const { routes: _, ...plain } = facts;
    expect(carrierOf(plain)).toBe('stick');
    expect(short({ ...facts, routes: ['folder', 'qr'] })[1]).toBe('bob CARRY_OUT: mpc-ceremony join treasury-dkg');
  });
  test('by relay alone: the same order, nothing to carry', () => {
    const relay: ScriptFacts = { ...facts, routes: ['relay'] };
    expect(carrierOf(relay)).toBe('relay');
    expect(short(relay).slice(0, 3)).toEqual([expect.stringMatching(/^alice WAIT: .* --routes relay --out treasury-dkg --unattended --via relay:ADDRESS$/), 'bob WAIT: mpc-ceremony join treasury-dkg --via relay:ADDRESS', 'carol WAIT: mpc-ceremony join treasury-dkg --via relay:ADDRESS']);
    expect(scriptVisits(relay)).toHaveLength(9);
    const texts = scriptSteps(relay).map((s) => s.text).join(' ');
    expect(texts).toContain("bob's message of round commit is in the relay. CAROL is next.");
    expect(texts).not.toMatch(/stick/);
  });
  test('a pinned program is asked for by the first command', () => {
    expect(short({ ...facts, pinned: true })[0]).toContain('--routes qr --pin-program --out treasury-dkg');
  });
  test('a lead without a seat begins, and neither speaks nor finishes', () => {
    const sign: ScriptFacts = { ...facts, kind: 'sign', name: 'sweep', lead: 'zoe', attended: true, participants: [{ name: 'alice' }, { name: 'bob' }], rounds: ['nonce', 'share'], routes: ['folder'] };
    expect(short(sign)).toEqual([
      'zoe CARRY_OUT: mpc-ceremony sign --intent intent.json --signers alice,bob --routes folder --out sweep', 'alice COMPARE_WORDS: mpc-ceremony join sweep', 'alice APPROVE', 'alice CARRY_OUT',
      'bob COMPARE_WORDS: mpc-ceremony join sweep', 'bob APPROVE', 'bob CARRY_OUT', 'alice DONE: mpc-ceremony next sweep', 'bob DONE: mpc-ceremony next sweep', 'all POWER_OFF',
    ]);
  });
});
