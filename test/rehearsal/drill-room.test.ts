/** Records that people make: what cannot be said, and what follows from what was said. */
import { describe, expect, it } from 'vitest';
import type { CheckedBackup } from '../../src/ceremony/backup-check.ts';
import type { Certificate } from '../../src/protocols/epoch.ts';
import { drillCast } from '../../src/rehearsal/drill-cast.ts';
import { backupDrill, type RoomFacts, roomDrill, roomMode } from '../../src/rehearsal/drill-room.ts';
import { contradiction } from '../../src/rehearsal/drill-report.ts';
import { scenarioOf } from '../../src/rehearsal/drill-scenarios.ts';
import { refusal } from './refusal.ts';

const QUORUM = '2-of(alice, bob, carol)';
const ID = '11'.repeat(16);
// of a certificate, a record takes these facts and no others
const certificate = (mode: string): Certificate => ({ epoch: { key: { name: 'treasury', id: ID, scheme: 'frost-ed25519', mode }, quorum: QUORUM, number: 3 } }) as unknown as Certificate;
const facts: RoomFacts = {
  certificate: certificate('rehearsal'),
  people: ['alice', 'bob', 'carol'],
  place: 'Bern, room 2',
  began: new Date('2026-03-01T12:00:00Z'),
  ended: new Date('2026-03-01T14:30:00Z'),
  dueDays: 365,
  program: { name: 'mpc-ceremony 0.1.0', digest: 'ab'.repeat(32) },
  folders: [],
  signer: { name: 'alice', identity: 'cd'.repeat(32) },
};
const scenario = scenarioOf('half-refresh', drillCast('treasury', 'frost-ed25519', QUORUM));
const noticed = [{ fault: 'power-cut', by: 'alice' }, { fault: 'one-sided', by: 'bob', code: 'E_EPOCH' }];
const said = { result: 'pass' as const, noticed, exceptions: [] as string[], times: new Map<number, number>() };

describe('a drill in the room', () => {
  it('says place, people, times, who noticed what, and when the next is due', () => {
    const r = roomDrill(facts, scenario, { ...said, times: new Map([[1, 90], [5, 600]]) });
    expect(r).toMatchObject({ mode: 'staging', place: 'Bern, room 2', people: ['alice', 'bob', 'carol'], milliseconds: 9_000_000, due: '2027-03-01T14:30:00Z', result: 'pass', key: { id: ID, epoch: 3 } });
    expect(r.steps.map((s) => s.milliseconds).filter((ms) => ms !== undefined)).toEqual([90_000, 600_000]);
    expect(r.faults).toMatchObject([{ noticed: { by: 'alice' }, asExpected: true }, { noticed: { by: 'bob', code: 'E_EPOCH' }, asExpected: true }]);
    expect(contradiction(r)).toBeUndefined();
  });
  it('has the mode of its key', () => {
    expect([roomMode(certificate('rehearsal')), roomMode(certificate('production'))]).toEqual(['staging', 'window']);
  });
  it.each<[string, Partial<typeof said> | { readonly result: 'pass-with-exceptions' | 'fail' }]>([
    ['passes with a fault that nobody noticed', { noticed: noticed.slice(1) }],
    ['passes without exceptions and has one', { exceptions: ['the stick was found late'] }],
    ['passes without exceptions though somebody else noticed', { noticed: [{ fault: 'power-cut', by: 'carol' }, ...noticed.slice(1)] }],
    ['passes without exceptions though the code was another', { noticed: [...noticed.slice(0, 1), { fault: 'one-sided', by: 'bob', code: 'E_RANK' }] }],
    ['passes with exceptions and has none', { result: 'pass-with-exceptions' }],
    ['fails without a reason', { result: 'fail' }],
    ['has a fault that is not of this drill', { noticed: [...noticed, { fault: 'blob', by: 'alice' }] }],
    ['has a step that is not of this drill', { times: new Map([[999, 1]]) }],
    ['has a step 0', { times: new Map([[0, 1]]) }],
  ])('that %s is not recorded', (_what, change) => {
    expect(refusal(() => roomDrill(facts, scenario, { ...said, ...change }))).toMatchObject({ code: 'E_USAGE' });
  });
  it('fails for what nobody noticed', () => {
    const r = roomDrill(facts, scenario, { ...said, result: 'fail', noticed: [], exceptions: ['given up after an hour'] });
    expect(r.failures).toHaveLength(3);
    expect(r.failures[0]).toBe('given up after an hour');
  });
});

const opened = (change: Partial<CheckedBackup> = {}): { checked: CheckedBackup; milliseconds: number } => ({
  checked: {
    file: '/safe/alice.backup',
    verdict: 'ok',
    checks: [{ name: 'open', verdict: 'ok', text: 'opens' }],
    sha256: 'ef'.repeat(32),
    facts: { owner: 'alice', key: 'treasury', keyId: ID, scheme: 'frost-ed25519', mode: 'rehearsal', epoch: 3, leaf: 1, publicKey: '', certificate: '', words: [], made: '' },
    keys: [],
    trusted: true,
    opened: ['alice.age'],
    ...change,
  },
  milliseconds: 1234,
});

describe('a drill on real backups', () => {
  const good = opened();
  const of = good.checked.facts as NonNullable<CheckedBackup['facts']>;
  it('passes when each was opened and is of the active epoch', () => {
    expect(backupDrill(facts, [good, good], [])).toMatchObject({ scenario: 'backup', result: 'pass', failures: [], steps: [{ outcome: 'as-expected', milliseconds: 1234 }, { no: 2 }] });
    expect(backupDrill(facts, [good], ['the key was in the wrong bag'])).toMatchObject({ result: 'pass-with-exceptions' });
  });
  it.each<[string, Partial<CheckedBackup>]>([
    ['was not opened', { opened: [] }],
    ['is damaged', { verdict: 'wrong', checks: [{ name: 'age', verdict: 'wrong', code: 'E_BACKUP_BAD', text: 'damaged' }] }],
    ['cannot be told', { verdict: 'cannot-tell' }],
    ['is of another epoch', { facts: { ...of, epoch: 2 } }],
    ['is of another key', { facts: { ...of, keyId: '22'.repeat(16) } }],
  ])('fails when one %s', (_what, change) => {
    const r = backupDrill(facts, [good, opened(change)], ['x']);
    expect(r).toMatchObject({ result: 'fail', exceptions: [], steps: [{ outcome: 'as-expected' }, { outcome: 'failure' }] });
    expect(r.failures).toHaveLength(2);
  });
});
