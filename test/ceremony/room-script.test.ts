import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ACTION_CODES, ACTIONS, isActionCode } from '../../src/ceremony/actions.ts';
import { roomScript } from '../../src/ceremony/room-script.ts';
import { type ScriptFacts, scriptCommands, scriptSteps, scriptVisits } from '../../src/ceremony/script-steps.ts';
import { visitOrder } from '../../src/ceremony/visits.ts';
import { words } from '../../src/wire/words.ts';

const dkg: ScriptFacts = {
  kind: 'dkg',
  name: 'treasury',
  mode: 'production',
  lead: 'alice',
  participants: [{ name: 'alice', place: 'Bern' }, { name: 'bob' }, { name: 'carol', role: 'legal' }],
  witnesses: [],
  rounds: ['commit', 'deal', 'confirm'],
  scheme: 'frost-ed25519',
  quorumText: '2-of(alice, bob, carol)',
  explanation: ['Any 2 of alice, bob and carol.'],
  words: words(Uint8Array.from({ length: 16 }, (_, i) => i)),
  attended: false,
  created: '2026-01-31T12:00:00Z',
  expires: '2026-02-14T12:00:00Z',
};
const sign: ScriptFacts = {
  ...dkg,
  kind: 'sign',
  name: 'sweep-7',
  lead: 'bob',
  participants: [{ name: 'alice' }, { name: 'bob' }],
  rounds: ['nonce', 'share'],
  attended: true,
};

describe('the way of the stick', () => {
  test('three people, three rounds: nine stops', () => {
    expect(visitOrder(['alice', 'bob', 'carol'], ['commit', 'deal', 'confirm'])).toEqual([
      { who: 'alice', sends: ['commit'], completes: false },
      { who: 'bob', sends: ['commit'], completes: false },
      { who: 'carol', sends: ['commit', 'deal'], completes: false },
      { who: 'alice', sends: ['deal'], completes: false },
      { who: 'bob', sends: ['deal', 'confirm'], completes: false },
      { who: 'carol', sends: ['confirm'], completes: false },
      { who: 'alice', sends: ['confirm'], completes: true },
      { who: 'bob', sends: [], completes: true },
      { who: 'carol', sends: [], completes: true },
    ]);
  });

  /** Fewest stops in any order, by breadth-first search over what everybody has sent and who has completed. */
  function fewest(n: number, rounds: number): number {
    let states = new Set([`${'0'.repeat(n)}|${'0'.repeat(n)}`]);
    for (let stops = 0; ; stops++) {
      const next = new Set<string>();
      for (const state of states) {
        const [sentText, doneText] = state.split('|') as [string, string];
        if (!doneText.includes('0')) return stops;
        for (let who = 0; who < n; who++) {
          const sent = [...sentText].map(Number);
          // nobody joins before the lead has begun
          if (who > 0 && sent[0] === 0) continue;
          while ((sent[who] as number) < rounds && sent.every((s) => s >= (sent[who] as number))) sent[who] = (sent[who] as number) + 1;
          const done = [...doneText];
          if (sent.every((s) => s === rounds)) done[who] = '1';
          next.add(`${sent.join('')}|${done.join('')}`);
        }
      }
      states = next;
    }
  }

  test.each([
    [2, 1],
    [2, 2],
    [2, 3],
    [3, 1],
    [3, 2],
    [3, 3],
    [4, 3],
  ])('%i people, %i rounds: no order needs fewer stops', (n, r) => {
    const names = Array.from({ length: n }, (_, i) => `p${String(i)}`);
    const rounds = Array.from({ length: r }, (_, i) => `r${String(i)}`);
    const visits = visitOrder(names, rounds);
    expect(visits).toHaveLength(n + r * (n - 1));
    expect(visits).toHaveLength(fewest(n, r));
  });
});

const short = (facts: ScriptFacts): string[] =>
  scriptSteps(facts).map((s) => `${String(s.n)} ${s.who} ${s.code}${s.screen ? '' : ' (paper)'}${s.command === undefined ? '' : `: ${s.command}`}`);

describe('steps', () => {
  test('an unattended key generation', () => {
    expect(short(dkg)).toEqual([
      "1 alice CARRY_OUT: mpc-ceremony dkg --name treasury --scheme frost-ed25519 --quorum '2-of(alice, bob, carol)' --cards cards --out treasury-dkg --unattended",
      '2 bob CARRY_OUT: mpc-ceremony join treasury-dkg',
      '3 carol CARRY_OUT: mpc-ceremony join treasury-dkg',
      '4 alice CARRY_OUT: mpc-ceremony next treasury-dkg',
      '5 bob CARRY_OUT: mpc-ceremony next treasury-dkg',
      '6 carol CARRY_OUT: mpc-ceremony next treasury-dkg',
      '7 alice DONE: mpc-ceremony next treasury-dkg',
      '8 bob DONE: mpc-ceremony next treasury-dkg',
      '9 carol DONE: mpc-ceremony next treasury-dkg',
      '10 all POWER_OFF (paper)',
    ]);
    expect(scriptSteps(dkg)[2]?.text).toBe("carol's messages of rounds commit and deal are on the stick. Eject the stick, hand it to ALICE.");
    expect(scriptVisits(dkg)).toHaveLength(9);
  });

  test('people compare, write down and witness', () => {
    const facts = { ...dkg, attended: true, witnesses: ['erin'], folder: 'keys', start: 'mpc-ceremony dkg --plan plan.yaml --out keys' };
    expect(short(facts)).toEqual([
      '1 alice CARRY_OUT: mpc-ceremony dkg --plan plan.yaml --out keys',
      '2 bob COMPARE_WORDS: mpc-ceremony join keys',
      '3 bob CARRY_OUT',
      '4 carol COMPARE_WORDS: mpc-ceremony join keys',
      '5 carol CARRY_OUT',
      '6 alice CARRY_OUT: mpc-ceremony next keys',
      '7 bob CARRY_OUT: mpc-ceremony next keys',
      '8 carol CARRY_OUT: mpc-ceremony next keys',
      '9 alice WITNESS_SIGN: mpc-ceremony next keys',
      '10 erin CARRY_OUT: mpc-ceremony note witness keys',
      '11 bob DONE: mpc-ceremony next keys',
      '12 bob WRITE_DOWN (paper)',
      '13 carol DONE: mpc-ceremony next keys',
      '14 carol WRITE_DOWN (paper)',
      '15 alice DONE: mpc-ceremony next keys',
      '16 alice WRITE_DOWN (paper)',
      '17 all POWER_OFF (paper)',
    ]);
    expect(scriptCommands(scriptSteps(facts)).slice(0, 3)).toEqual([
      { who: 'alice', command: 'mpc-ceremony dkg --plan plan.yaml --out keys', codes: ['CARRY_OUT'] },
      { who: 'bob', command: 'mpc-ceremony join keys', codes: ['COMPARE_WORDS', 'CARRY_OUT'] },
      { who: 'carol', command: 'mpc-ceremony join keys', codes: ['COMPARE_WORDS', 'CARRY_OUT'] },
    ]);
  });

  test('a signing: every signer approves on the own screen, before anything leaves', () => {
    expect(short(sign)).toEqual([
      '1 bob APPROVE: mpc-ceremony sign --intent intent.json --signers alice,bob --out sweep-7',
      '2 bob CARRY_OUT',
      '3 alice COMPARE_WORDS: mpc-ceremony join sweep-7',
      '4 alice APPROVE',
      '5 alice CARRY_OUT',
      '6 bob DONE: mpc-ceremony next sweep-7',
      '7 alice DONE: mpc-ceremony next sweep-7',
      '8 all POWER_OFF (paper)',
    ]);
  });

  test('a signing from prepared commitments: the last signer has the signature when joining', () => {
    const stops = scriptCommands(scriptSteps({ ...sign, rounds: ['share'], attended: false }));
    expect(stops.map((c) => [c.who, ...c.codes])).toEqual([
      ['bob', 'CARRY_OUT'],
      ['alice', 'DONE'],
      ['bob', 'DONE'],
    ]);
  });
});

describe('the page', () => {
  test('is the same every time, and needs nothing from outside', () => {
    const page = roomScript(dkg);
    expect(roomScript(structuredClone(dkg))).toBe(page);
    expect(page).not.toMatch(/<script|<link|<img|url\(|https?:|src=|href=|\son\w+="/i);
    expect(page.startsWith('<!doctype html>\n<html lang="en">')).toBe(true);
    expect(page).toContain('<title>Room script: Key generation: treasury</title>');
  });

  test('shows every step with its command, every word and every code', () => {
    const facts = { ...dkg, attended: true, witnesses: ['erin'] };
    const page = roomScript(facts);
    const text = page.replace(/<\/?span>/g, '');
    for (const step of scriptSteps(facts)) {
      const row = new RegExp(`<tr id="step-${String(step.n)}">.*</tr>`).exec(text)?.[0] ?? '';
      expect(row).toContain(step.code);
      expect(row).toContain(step.text.replaceAll("'", '&#39;').replaceAll('"', '&quot;'));
      if (step.command !== undefined) expect(row).toContain(`<code>${step.command.replaceAll("'", '&#39;')}</code>`);
    }
    facts.words.forEach((word, i) => {
      expect(page).toContain(`<td>${String(i + 1)} <b>${word}</b></td>`);
    });
    for (const code of ACTION_CODES) expect(page).toContain(`<th>${code}</th><td>`);
    for (const heading of ['Who is here', 'Before the first step', 'Steps', 'Words of the key', 'Exceptions', 'Closing'])
      expect(page).toMatch(new RegExp(`<h2[^>]*>${heading}</h2>`));
    expect(page).toContain('<th>I do not agree, because</th>');
    expect(page).toContain('17 steps; the stick makes 11 stops');
  });

  test('a rehearsal says so', () => {
    expect(roomScript(dkg)).toContain('<p class="mode">PRODUCTION</p>');
    expect(roomScript({ ...dkg, mode: 'rehearsal' })).toContain('<p class="mode">REHEARSAL: ');
  });

  test('no fact of the plan becomes markup', () => {
    const nasty = `</style><script>alert(1)</script>&"'`;
    const page = roomScript({
      ...dkg,
      name: nasty,
      lead: nasty,
      participants: [{ name: nasty, role: nasty, place: nasty }, { name: 'bob' }],
      witnesses: [nasty],
      rounds: [nasty],
      scheme: nasty,
      quorumText: nasty,
      explanation: [nasty],
      words: Array.from({ length: 16 }, () => nasty),
      created: nasty,
      expires: nasty,
      folder: nasty,
    });
    expect(page).not.toContain('<script');
    expect(page.match(/<\/style>/g)).toHaveLength(1);
  });
});

describe('action codes', () => {
  test('are the ones of the contract', () => {
    expect(ACTION_CODES.join(' ')).toBe(
      'CARRY_OUT BRING_IN SHOW_QR SCAN_QR COMPARE_WORDS WRITE_DOWN TYPE_BACK APPROVE WITNESS_SIGN POWER_OFF WAIT DONE',
    );
    expect(Object.values(ACTIONS).every((meaning) => !meaning.includes('\n') && meaning.length > 10)).toBe(true);
    expect([isActionCode('DONE'), isActionCode('done'), isActionCode('toString')]).toEqual([true, false, false]);
  });

  test.each(['dkg.md', 'sign.md'])('ceremonies/%s uses no other', (file) => {
    const text = readFileSync(new URL(`../../ceremonies/${file}`, import.meta.url), 'utf8');
    const used = [...text.matchAll(/`([A-Z]{4,}(?:_[A-Z]+)?)`/g)].map((m) => m[1] as string);
    expect(used.length).toBeGreaterThan(4);
    for (const code of used) expect(isActionCode(code), code).toBe(true);
  });
});
