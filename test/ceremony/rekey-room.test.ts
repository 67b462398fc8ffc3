/** The room script of refresh and reshare says what the program then does; a witness signs; the record verifies. */
import { cpSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireKey } from '../../src/ceremony/key-store.ts';
import { roomScript } from '../../src/ceremony/room-script.ts';
import { scriptFacts } from '../../src/ceremony/script-facts.ts';
import { type ScriptCommand, scriptCommands, scriptSteps } from '../../src/ceremony/script-steps.ts';
import { visitOrder } from '../../src/ceremony/visits.ts';
import { witness } from '../../src/ceremony/witness.ts';
import { Table } from '../support/harness.ts';
import { People } from '../support/rekey.ts';
import { refresh, reshare } from '../support/redealer.ts';
import type { Run } from '../support/run.ts';
import { faults, folderOf, verify } from '../transcript/fixture.ts';

const ALL = ['alice', 'bob', 'carol', 'dave', 'erin', 'trent'];
let table: Table;
beforeAll(async () => {
  table = await Table.open(ALL);
  await (await table.dkg({ quorum: '2-of(alice, bob, carol)', honest: ['alice', 'bob', 'carol'] })).settle();
  table.save('key');
});
afterAll(() => {
  table.close();
});

/** Plays the commands on one stick that goes from hand to hand, after the lead's first one; says what each screen showed last. */
async function played(run: Run, lead: string, commands: readonly ScriptCommand[]): Promise<string[]> {
  const shown: string[] = [];
  let holder = lead;
  for (const { who, command } of commands) {
    if (who !== holder) {
      rmSync(run.folder(who), { recursive: true, force: true });
      cpSync(run.folder(holder), run.folder(who), { recursive: true });
    }
    holder = who;
    const { home, port } = table.party(who);
    const { step, error } = command.includes('note witness') ? await run.act(who, () => witness(home, run.folder(who), port)) : await run.next(who);
    shown.push(`${who} ${step?.nextAction.code ?? error?.message ?? ''}`);
  }
  return shown;
}
const expected = (commands: readonly ScriptCommand[]): string[] => commands.map((c) => `${c.who} ${c.codes.at(-1) ?? ''}`);

describe('what the script says, the screens show', () => {
  test('a reshare: dealers speak first, one of them leaves, newcomers wait, a witness signs before anybody completes', async () => {
    table.restore('key');
    const honest = ['alice', 'bob', 'dave', 'erin'];
    const run = await reshare(table, { honest }, { quorum: '2-of(alice, dave, erin)', dealers: [['alice', 'alice'], ['bob', 'bob']], witnesses: ['trent'] });
    const commands = scriptCommands(scriptSteps(scriptFacts(run.plan)));
    expect(expected(commands)).toEqual([
      'alice CARRY_OUT', 'bob CARRY_OUT', 'dave CARRY_OUT', 'erin CARRY_OUT', 'alice WITNESS_SIGN', 'trent CARRY_OUT', 'bob DONE', 'dave DONE', 'erin DONE', 'alice DONE',
    ]);
    expect(run.last.get('alice')?.step?.nextAction.code).toBe('CARRY_OUT');
    expect(await played(run, 'alice', commands.slice(1))).toEqual(expected(commands).slice(1));
    const folder = await folderOf(run);
    const result = await verify(folder);
    expect([result.verdict, faults(result)]).toEqual(['ok', []]);
    expect(result.checks.map((c) => c.name)).toEqual(expect.arrayContaining(['witness', 'destruction', 'base']));
    expect(requireKey(table.party('dave').home, 'treasury').epoch.number).toBe(2);
  });

  test('a refresh: round and round, as a key generation without its first round', async () => {
    table.restore('key');
    const run = await refresh(table, { honest: ['alice', 'bob', 'carol'] });
    const commands = scriptCommands(scriptSteps(scriptFacts(run.plan)));
    expect(await played(run, 'alice', commands.slice(1))).toEqual(expected(commands).slice(1));
    expect(expected(commands).slice(-3).map((l) => l.split(' ')[1])).toEqual(['DONE', 'DONE', 'DONE']);
    expect(commands[0]?.command).toBe('mpc-ceremony refresh --key treasury --out treasury-refresh --unattended');
  });

  test('a reshare that a newcomer leads: it waits first', async () => {
    table.restore('key');
    const plan = scriptFacts((await reshare(table, { honest: ['alice', 'bob', 'dave', 'erin'] }, { quorum: '2-of(alice, dave, erin)', dealers: [['alice', 'alice'], ['bob', 'bob']] })).plan);
    expect(expected(scriptCommands(scriptSteps({ ...plan, lead: 'dave' }))).slice(0, 4)).toEqual(['dave CARRY_OUT', 'alice CARRY_OUT', 'bob CARRY_OUT', 'erin CARRY_OUT']);
  });
});

describe('the way of the stick', () => {
  test('where not everybody speaks in a round', () => {
    expect(visitOrder(['alice', 'bob', 'dave'], ['deal', 'confirm'], { deal: ['alice', 'bob'], confirm: ['alice', 'dave'] })).toEqual([
      { who: 'alice', sends: ['deal'], completes: false },
      { who: 'bob', sends: ['deal'], completes: false },
      { who: 'dave', sends: ['confirm'], completes: false },
      { who: 'alice', sends: ['confirm'], completes: true },
      { who: 'bob', sends: [], completes: true },
      { who: 'dave', sends: [], completes: true },
    ]);
  });
});

describe('the page', () => {
  test('says what changes, who deals and who leaves, and how each takes part', async () => {
    const people = new People();
    const dkg = await people.finished(people.dkgPlan('2-of(alice, bob, carol)'));
    const plan = people.resharePlan(dkg.certificate, '2-of(alice, dave)', ['alice', 'bob'], { attended: true, dealt: ['dave'] });
    const facts = scriptFacts(plan);
    const page = roomScript(facts);
    expect(page).toContain('<title>Room script: Reshare: treasury</title>');
    for (const heading of ['What changes', 'Who can sign afterwards', 'Words of the key']) expect(page).toMatch(new RegExp(`<h2[^>]*>${heading}</h2>`));
    for (const text of ['alice and bob deal: together an exact minimal quorum of epoch 1.', 'bob leaves and receives no share.', 'The plan says that the new quorum is weaker than the old one.', 'W_DEALT: dave received dealings of epoch 1']) expect(page).toContain(text);
    expect(page).toContain('<td>alice</td><td>deals and receives, lead</td>');
    expect(page).toContain('<td>bob</td><td>deals and leaves</td>');
    expect(scriptSteps(facts)[0]?.command).toBe("mpc-ceremony reshare --key treasury --quorum '2-of(alice, dave)' --dealers alice,bob --accept-weaker --cards cards --out treasury-reshare");
    expect(scriptSteps(facts).filter((s) => s.who === 'bob').at(-2)?.text).toContain('bob has finished: this laptop holds no share any more.');
  });
  test('of an import: who brings a share says so in its first command', async () => {
    const people = new People();
    const facts = scriptFacts(people.importPlan('oscar', '2-of(alice, bob)'));
    expect(roomScript(facts)).toContain('It is born whole');
    expect(scriptSteps(facts)[0]?.command).toBe("mpc-ceremony import --name treasury --scheme frost-ed25519 --quorum '2-of(alice, bob)' --cards cards --share FILE --out treasury-import --unattended");
    expect(scriptSteps({ ...facts, lead: 'alice' }).find((s) => s.who === 'oscar')?.command).toBe('mpc-ceremony join treasury-import --share FILE');
  });
});
