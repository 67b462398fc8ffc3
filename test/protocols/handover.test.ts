/** A plan for an existing key in plain words: who deals, who leaves, who joins, what gets weaker. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from '../../src/protocols/epoch.ts';
import { dealtWarning, handover, handoverSentences, weaknesses } from '../../src/protocols/handover.ts';
import { People } from '../support/rekey.ts';

let people: People;
let base: Certificate;
beforeAll(async () => {
  people = new People();
  base = (await people.finished(people.dkgPlan('3-of(alice, bob, carol, dave, erin)'))).certificate;
});

describe('a reshare', () => {
  test('with the base: everybody is placed', () => {
    const plan = people.resharePlan(base, '3-of(alice, bob, frank, grace, erin)', ['alice', 'bob', 'carol']);
    expect(handover(plan, base.epoch)).toEqual({ dealers: ['alice', 'bob', 'carol'], leaving: ['carol', 'dave'], joining: ['frank', 'grace'], staying: ['alice', 'bob', 'erin'] });
    expect(handoverSentences(plan, base.epoch)).toEqual([
      'alice, bob and carol deal: together an exact minimal quorum of epoch 1.',
      'carol and dave leave and receive no share.',
      'frank and grace join: no share before, one after.',
      'alice, bob and erin stay and receive new shares.',
      'Public key and addresses stay the same. Shares, stocks and backups of epoch 1 become void.',
    ]);
  });

  test('without it: only what the plan itself says', () => {
    const plan = people.resharePlan(base, '3-of(alice, bob, frank, grace, erin)', ['alice', 'bob', 'carol']);
    expect(handover(plan, undefined).leaving).toEqual(['carol']);
    expect(handoverSentences(plan)).toEqual([
      'alice, bob and carol deal: together an exact minimal quorum of epoch 1.',
      'carol leaves and receives no share.',
      'alice, bob, frank, grace and erin receive shares; which of them held one before, the certificate of the base tells.',
      'Public key and addresses stay the same. Shares, stocks and backups of epoch 1 become void.',
    ]);
  });

  test('a share that was restored in a new home: the new name deals the share of the old one, who leaves', () => {
    const plan = people.resharePlan(base, '3-of(alice, robert, carol, dave, erin)', ['alice', ['bob', 'robert'], 'carol']);
    const text = handoverSentences(plan, base.epoch).join(' ');
    expect(text).toContain('robert deals the share of bob, which is in another home now.');
    expect(text).toContain('bob leaves and receives no share. robert joins: no share before, one after.');
  });

  test('somebody else under an old name is new, and the old one leaves', () => {
    const others = new People();
    const plan = { ...people.resharePlan(base, '3-of(alice, bob, carol, dave, erin)', ['alice', 'bob', 'carol']) };
    const participants = plan.participants.map((p) => (p.name === 'erin' ? others.of('erin').member : p));
    const { leaving, joining } = handover({ ...plan, participants }, base.epoch);
    expect([leaving, joining]).toEqual([['erin'], ['erin']]);
  });

  test('nobody leaves, nobody joins', () => {
    const text = handoverSentences(people.resharePlan(base, '4-of(alice, bob, carol, dave, erin)', ['alice', 'bob', 'carol']), base.epoch).join(' ');
    expect(text).toContain('Nobody leaves. Nobody joins. alice, bob, carol, dave and erin stay');
  });

  test.each([
    ['2-of(alice, bob, carol, dave, erin)', ['2 participants acting together could misuse the key; before it took 3.']],
    ['3-of(alice, bob, carol, dave)', ['4 shares instead of 5: there is less to lose before the key is lost.', 'The key survives the loss of any 1 share; before, of any 2.']],
    ['5-of(alice, bob, carol, dave, erin)', ['The key survives the loss of no share; before, of any 2.']],
    ['3-of(alice, bob, carol, dave, erin)', []],
    ['3-of(alice, bob, carol, dave, erin, frank)', []],
  ])('%s: what gets weaker', (quorum, weaker) => {
    const plan = people.resharePlan(base, quorum, ['alice', 'bob', 'carol']);
    expect(weaknesses(plan, base.epoch)).toEqual(weaker);
    const text = handoverSentences(plan, base.epoch);
    expect(text.includes('The new quorum is weaker than the old one:')).toBe(weaker.length > 0);
    // the certificate is not at hand: the plan says what it must say
    expect(handoverSentences(plan).includes('The plan says that the new quorum is weaker than the old one.')).toBe(plan.weakens === true);
  });
});

test('a refresh and an import', () => {
  expect(handoverSentences(people.refreshPlan(base))).toEqual([
    'alice, bob, carol, dave and erin renew their shares. Everybody has to take part; people and quorum stay the same.',
    'Public key and addresses stay the same. Shares, stocks and backups of epoch 1 become void.',
  ]);
  const plan = people.importPlan('oscar', '2-of(alice, bob)');
  expect(handoverSentences(plan).slice(0, 2)).toEqual([`A key that exists already is taken in: a whole private key, public key ${plan.source.publicKey}.`, 'oscar deals what it holds of it; alice and bob receive shares.']);
  expect(handoverSentences(plan).join(' ')).toContain('born whole');
  expect(handoverSentences(people.dkgPlan('2-of(alice, bob)'))).toEqual([]);
});

test('W_DEALT says who received dealings before, and which case no epoch heals', () => {
  const plan = people.refreshPlan(base, { dealt: ['frank', 'grace'] });
  expect(dealtWarning(plan)).toMatchObject({ code: 'W_DEALT', text: expect.stringMatching(/^frank and grace received dealings of epoch 1 .*no new epoch heals that\.$/) as string });
  expect(dealtWarning(people.refreshPlan(base))).toBeUndefined();
  expect(dealtWarning(people.dkgPlan('2-of(alice, bob)'))).toBeUndefined();
});
