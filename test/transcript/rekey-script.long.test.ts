/** VERIFY.txt of refresh, reshare and import, as somebody runs it who does not have this program. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/protocols/epoch.ts';
import { Ceremony, People } from '../support/rekey.ts';
import { bytesOf, chainOf, type Folder, linesOf, withFiles } from './fixture.ts';
import { type Said, ScriptRunner } from './script-runner.ts';

const QUORUM = '2-of(alice, bob, carol)';
const AFTER = '2-of(alice, dave, erin)';
const BASE = 'base/certificate.json';
const OWN = 'transcript/certificate.json';

type Finished = Ceremony & { readonly certificate: Certificate };
let people: People;
let script: ScriptRunner;
let dkg: Finished;
let fresh: Finished;
let shared: Finished;
beforeAll(async () => {
  script = new ScriptRunner();
  people = new People();
  dkg = await people.finished(people.dkgPlan(QUORUM));
  fresh = await people.finished(people.refreshPlan(dkg.certificate), dkg.certificate);
  shared = await people.finished(people.resharePlan(dkg.certificate, AFTER, ['alice', 'bob']), dkg.certificate);
});
afterAll(() => {
  script.close();
});
const run = (folder: Folder): Promise<Said> => script.run(folder);
const flipped = (folder: Folder, path: string, at: number): Folder => withFiles(folder, { [path]: bytesOf(folder, path).map((b, i) => (i === at ? b ^ 1 : b)) });

describe('VERIFIED', () => {
  it('a reshare, also without what comes after a leaving dealer’s deal; who has not recorded a destruction is told', async () => {
    const path = 'transcript/bob.jsonl';
    const { exit, wrong, missing, lines } = await run(withFiles(shared.folder(), { [path]: chainOf(linesOf(bytesOf(shared.folder(), path)).slice(0, 1)) }));
    expect([exit, wrong, missing, lines.at(-1)]).toEqual([0, [], [], 'VERIFIED']);
    expect(lines).toContain('14 entries, 5 messages: form, signatures, links and hashes checked');
    expect(lines.filter((l) => l.includes('destroyed'))).toEqual(['bob', 'carol'].map((who) => `note     no transcript here records that ${who} destroyed its share of the epoch before`));
  });
  it('an import, whose owner leaves; the key was born whole', async () => {
    const imported = await people.finished(people.importPlan('oscar', QUORUM));
    const { exit, wrong, missing, lines } = await run(imported.folder());
    expect([exit, wrong, missing]).toEqual([0, [], []]);
    expect(lines.join('\n')).toContain('note     this key was born whole');
  });
});

describe('MISSING', () => {
  it('the deal of a dealer who leaves; the base; nothing of those who have nothing to say', async () => {
    const result = await run(withFiles(shared.folder(), { 'round-1/bob.blob': undefined, [BASE]: undefined }));
    expect([result.exit, result.wrong]).toEqual([2, []]);
    expect(result.missing.filter((l) => !l.includes('depends on'))).toEqual(['round-1/bob.blob', BASE]);
  });
});

// several faults in one folder: bash takes its time
describe('WRONG', () => {
  it('another base; a newcomer who deals; another epoch said to be destroyed', async () => {
    const ceremony = await (await Ceremony.of(people, people.resharePlan(dkg.certificate, AFTER, ['alice', 'bob']), dkg.certificate)).play();
    ceremony.say('dave', 1, ceremony.messages.get(1)?.get(1)?.body as Uint8Array);
    ceremony.record('bob', { kind: 'destroyed', epoch: 'ab'.repeat(32) });
    const { exit, wrong } = await run(withFiles(ceremony.folder(), { [BASE]: fresh.certificate.bytes }));
    expect([exit, wrong]).toEqual([
      1,
      [
        'dave spoke in round 1, in which it has nothing to say',
        `${BASE} is of another epoch than the plan names`,
        'bob:3 recorded the destruction of another epoch',
      ],
    ]);
  });
  it('the certificate that was there before; a byte of the deal of who leaves', async () => {
    const { exit, wrong } = await run(flipped(withFiles(shared.folder(), { [OWN]: dkg.certificate.bytes }), 'round-1/bob.blob', 200));
    expect([exit, wrong]).toEqual([
      1,
      expect.arrayContaining(['round-1/bob.blob is damaged, foreign or forged', `${OWN} is of another ceremony`, `${OWN} has another roster than the plan`, `${OWN} is of another kind or rank than the plan, or builds on another epoch`]),
    ]);
  });
  it('the certificate of another attempt on the same base; a byte of the base', async () => {
    const { exit, wrong } = await run(flipped(withFiles(shared.folder(), { [OWN]: fresh.certificate.bytes }), BASE, 900));
    expect([exit, wrong]).toEqual([1, expect.arrayContaining([`${OWN} is of another ceremony`, expect.stringContaining(BASE)])]);
  });
});
