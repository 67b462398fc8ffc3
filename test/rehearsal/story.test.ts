import { describe, expect, it } from 'vitest';
import { SLOTS } from '../../src/protocols/machine.ts';
import type { Outcome } from '../../src/rehearsal/program.ts';
import { answered, fold, inWords, show, Story, verdictOf } from '../../src/rehearsal/story.ts';

const outcome = (o: Partial<Outcome>): Outcome => ({ line: 'mpc-ceremony next', exit: 0, killed: false, report: {}, ...o });

describe('what a gate said, compared with what it ought to say', () => {
  const told: string[] = [];
  const story = new Story((text) => told.push(text));
  const fault = story.fault('tampered-blob', 'a byte changes');
  const expected = { exit: 21, code: 'E_SIGNATURE', file: 'round-2/bob.blob' };
  const gate = (observed: Parameters<Story['gate']>[3]): boolean => {
    story.gate(fault, 'alice', expected, observed, 'text');
    return fault.gates.at(-1)?.asItShouldBe === true;
  };

  it('is as it should be when code, exit and file agree', () => {
    expect(answered(fault)).toBe(false);
    expect(gate({ exit: 21, code: 'E_SIGNATURE', file: 'alice/k-dkg-1/round-2/bob.blob' })).toBe(true);
    expect(answered(fault)).toBe(true);
  });
  it.each([
    [{ exit: 0 }],
    [{ exit: 21, code: 'E_FORMAT', file: 'round-2/bob.blob' }],
    [{ exit: 10, code: 'E_SIGNATURE', file: 'round-2/bob.blob' }],
    [{ exit: 21, code: 'E_SIGNATURE', file: 'round-2/carol.blob' }],
    [{ exit: 21, code: 'E_SIGNATURE' }],
  ])('is not otherwise: %j', (observed) => {
    expect(gate(observed)).toBe(false);
    expect(answered(fault)).toBe(false);
    expect(told.join('\n')).toContain('NOT as it should be');
  });
  it('compares who is named, and whether bytes stayed the same', () => {
    const other = story.fault('crash', 'power fails');
    story.gate(other, 'bob', { participant: 'carol' }, { participant: 'alice' }, '');
    story.gate(other, 'bob', { sameBytes: true }, { sameBytes: false }, '');
    story.gate(other, 'bob', { sameBytes: true }, { sameBytes: true }, '');
    expect(other.gates.map((g) => g.asItShouldBe)).toEqual([false, false, true]);
  });
});

describe('words', () => {
  it('tells who is waited for, who is named and where', () => {
    expect(show(verdictOf(outcome({ exit: 10, report: { needs: [{ from: 'bob', what: 'round1' }, { from: 'carol', what: 'round1' }] } })))).toBe('exit 10, waiting for bob, carol');
    expect(show(verdictOf(outcome({ exit: 21, report: { error: { code: 'E_VSS', participant: 'carol', file: 'evidence/vss-carol.json', text: '…' } } })))).toBe(
      'exit 21 E_VSS, naming carol, file evidence/vss-carol.json',
    );
  });
  it('lists names and folds lines', () => {
    expect([inWords([]), inWords(['a']), inWords(['a', 'b']), inWords(['a', 'b', 'c'])]).toEqual(['', 'a', 'a and b', 'a, b and c']);
    for (const line of fold('one two three four five six seven', 10)) expect(line.length).toBeLessThanOrEqual(10);
  });
  it('keeps every told line within 80 columns', () => {
    const told: string[] = [];
    const story = new Story((text) => told.push(text));
    story.rounds = SLOTS['frost/dkg'];
    story.step('bob', 'next', 'checks all proofs and opens its own boxes', outcome({ exit: 21, report: { error: { code: 'E_VSS', text: 'the sub-share that carol sealed to bob does not fit its commitments' } } }));
    story.step('anybody', 'transcript verify', 'checks the record', outcome({ report: { did: ['round2.sent'] } }));
    expect(told.every((l) => l.length <= 80)).toBe(true);
    expect(told.join(' ').replace(/ +/g, ' ')).toContain('anybody: transcript verify — checks the record, writes message 2 of 3 (deal)');
  });
});

describe('a message', () => {
  const said = (rounds: Story['rounds'], ...did: string[]): string => {
    const story = new Story(() => undefined);
    story.rounds = rounds;
    story.step('bob', 'next', '', outcome({ report: { did } }));
    return story.steps[0]?.text ?? '';
  };
  it('is counted among the rounds of its plan, whatever number its slot has', () => {
    expect(said(SLOTS['cggmp24/dkg'], 'round3.sent', 'round4.sent')).toBe('writes message 3 of 4 (prove), writes message 4 of 4 (confirm)');
    expect(said(SLOTS['cggmp24/sign-from-stock'], 'round2.sent')).toBe('writes message 1 of 3 (convert)');
    expect(said(SLOTS['frost/sign-from-stock'], 'round2.sent', 'signature')).toBe('writes its one message (share), puts the signature together and verifies it');
    expect(said(SLOTS['cggmp24/sign-presigned'], 'round4.sent')).toBe('writes its one message (share)');
  });
  it('of an error round is none of them', () => {
    expect(said(SLOTS['cggmp24/presign'].slice(0, 3), 'round4.sent')).toBe('writes a message besides');
  });
  it('ends a ceremony in words of its kind', () => {
    expect(said([], 'certificate')).toContain('the key is active');
    expect(said([], 'presigned')).toBe('has the presignatures in stock');
  });
});

it('tells what a program is busy with, but does not keep it', () => {
  const told: string[] = [];
  const story = new Story((text) => told.push(text));
  story.busy('bob', 'making the primes of this participant; this takes some seconds, now and then half a minute …');
  expect(told.length).toBeGreaterThan(1);
  for (const line of told) expect(line.length).toBeLessThanOrEqual(80);
  expect(told[0]).toMatch(/ s … bob's laptop: making the primes/);
  expect([story.log, story.steps]).toEqual(['\n', []]);
});
