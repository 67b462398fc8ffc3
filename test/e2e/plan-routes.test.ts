/** Routes in drafts and plans, by the real program: told before the day, refused where hopeless, kept by every command. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { codeFlow } from '../../src/ceremony/code-flow.ts';
import { scriptFacts } from '../../src/ceremony/script-facts.ts';
import { scriptCommands, scriptSteps } from '../../src/ceremony/script-steps.ts';
import { parsePlanFile } from '../../src/plan/plan-file.ts';
import { type Json, invoke, newDir, TEMPLATES, World } from './support.ts';

interface Budget {
  handOvers: number;
  messages: { message: string; bytes: number; codes: Record<string, { codes: number; frames: number; seconds: number } | null> }[];
  qr: { scans: { hub: number; others: number; all: number }; minutes: Record<string, number | null>; shows: { what: string; bytes: number }[] };
  relay: { parts: number; bytes: number; visits: number };
}
const budgetOf = (json: Json): Budget => json['budget'] as Budget;
const errorsOf = (json: Json): { code: string; field: string; text: string; remedy?: string }[] => json['errors'] as never;
const warningsOf = (json: Json): string[] => (json['warnings'] as { code: string }[]).map((w) => w.code);

/** A draft made from a template. */
function draft(change: (text: string) => string, template = 'dkg-2of3'): string {
  const file = join(newDir(), 'd.yaml');
  writeFileSync(file, change(readFileSync(join(TEMPLATES, `${template}.yaml`), 'utf8')));
  return file;
}
const routed = (routes: string, scheme = 'frost-ed25519') => (text: string): string => text.replace('scheme: frost-ed25519', `scheme: ${scheme}`).replace(/^expiresInDays/m, `routes: ${routes}\nexpiresInDays`);

describe('plan check of a draft', () => {
  it('tells what each route costs, for scripts and for people', async () => {
    const { exit, json } = await invoke(['plan', 'check', draft((t) => t), '--json']);
    const budget = budgetOf(json);
    expect([exit, budget.handOvers, budget.qr.scans, budget.relay.visits]).toEqual([0, 8, { hub: 6, others: 4, all: 14 }, 9]);
    expect(budget.messages.map((m) => [m.message, m.bytes, m.codes['120x40']?.codes])).toEqual([['commit', 151, 1], ['deal', 663, 3], ['confirm', 350, 2]]);
    expect(Object.keys(budget.messages[0]?.codes ?? {})).toEqual(['80x24', '120x40', 'v20', 'v27']);
    const { stdout } = await invoke(['plan', 'check', draft((t) => t)]);
    expect(stdout).toMatch(/handed over 8 times[^]*alice scans 6 times[^]*14 scans[^]*120x40 v13[^]*commit of 3, deal[^]*By relay: 26 parts/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
  it('refuses codes as the only route of an ECDSA key, and says what would do', async () => {
    const { exit, json } = await invoke(['plan', 'check', draft(routed('[qr]', 'cggmp24-secp256k1')), '--json']);
    expect([exit, errorsOf(json).map((e) => [e.code, e.field])]).toEqual([20, [['E_ROUTE', 'routes'], ['E_ROUTE', 'routes']]]);
    expect(errorsOf(json)[1]?.text).toMatch(/the message prove has 105 kB: 382 codes, \d+ s on a terminal of 120x40/);
    expect(errorsOf(json)[1]?.remedy).toMatch(/routes: \[folder, qr\]/);
    const { stdout } = await invoke(['plan', 'check', draft(routed('[qr]', 'cggmp24-secp256k1'))]);
    expect(stdout).toMatch(/✗ E_ROUTE {2}routes: the message deal[^]*another route as well[^]*cannot be used as it stands/);
    const both = await invoke(['plan', 'check', draft(routed('[qr, folder]', 'cggmp24-secp256k1')), '--json']);
    expect([both.exit, errorsOf(both.json), warningsOf(both.json)]).toEqual([0, [], ['W_LONG_CODES']]);
  });
  it('warns where no path does without a network (PLC-08)', async () => {
    const { exit, json } = await invoke(['plan', 'check', draft(routed('[relay]')), '--json']);
    expect([exit, warningsOf(json)]).toEqual([0, ['W_NO_OFFLINE']]);
    const none = await invoke(['plan', 'check', draft(routed('[pigeon]')), '--json']);
    expect([none.exit, none.json.error?.code, none.json.error?.field]).toEqual([20, 'E_PLAN_FIELD', 'routes[0]']);
  });
});

describe('a ceremony', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.of(['alice', 'bob']);
  });
  const begin = (folder: string, ...more: string[]): string[] => ['dkg', '--name', folder, '--scheme', 'frost-ed25519', '--quorum', 'all-of(alice,bob)', '--cards', world.cards, '--out', world.member('alice').copy(folder), '--unattended', ...more];

  it('is not begun on hopeless routes; nothing is left behind', async () => {
    const alice = world.member('alice');
    const args = begin('heavy', '--routes', 'qr').map((a) => (a === 'frost-ed25519' ? 'cggmp24-p256' : a));
    const ran = await alice.run(args);
    expect([ran.exit, ran.json.error?.code, ran.json.error?.field]).toEqual([20, 'E_ROUTE', 'routes']);
    expect(ran.json.error?.remedy).toMatch(/routes: \[folder, qr\]/);
    expect(existsSync(alice.copy('heavy'))).toBe(false);
    expect(existsSync(join(alice.home, 'ceremonies')) ? readdirSync(join(alice.home, 'ceremonies')) : []).toEqual([]);
    for (const words of ['tape', 'qr,qr', 'qr,']) expect((await alice.run(begin('x', '--routes', words))).exit).toBe(64);
    // a draft says it as well as a flag
    const file = draft((t) => routed('[qr]', 'cggmp24-p256')(t).replace('2-of(alice, bob, carol)', 'all-of(alice, bob)').replace(/ {2}- name: carol\n(?: {4}.*\n)*/, ''));
    const byDraft = await alice.run(['dkg', '--plan', file, '--cards', world.cards, '--out', alice.copy('heavy'), '--unattended']);
    expect([byDraft.exit, byDraft.json.error?.code]).toEqual([20, 'E_ROUTE']);
  });

  it('by codes alone does, command by command, what the printed script says', async () => {
    const [alice, bob] = [world.member('alice'), world.member('bob')];
    const started = await alice.run([...begin('codes', '--routes', 'qr'), '--via', 'qr']);
    expect([started.exit, started.json.nextAction?.code]).toEqual([0, 'SHOW_QR']);
    const file = join(alice.copy('codes'), 'PLAN.yaml');
    const plan = await parsePlanFile(readFileSync(file), file);
    expect(plan.routes).toEqual(['qr']);
    const checked = await invoke(['plan', 'check', file, '--json']);
    expect([checked.exit, errorsOf(checked.json)]).toEqual([0, []]);
    expect(readFileSync(join(alice.copy('codes'), 'SCRIPT.html'), 'utf8')).toMatch(/SCAN_QR[^]*hold[^]*camera/);

    const facts = scriptFacts(plan);
    const commands = scriptCommands(scriptSteps(facts));
    const turns = codeFlow(plan.lead, plan.participants.map((p) => p.name), facts.rounds);
    expect(commands.map((c) => c.who)).toEqual(turns.map((t) => t.who));
    const shown: unknown[] = [];
    for (const [i, { who, scans, first }] of turns.entries()) {
      if (i === 0) continue;
      // what the camera would bring: what the screens that it is held to show since their last turn
      for (const from of scans) {
        const screen = turns.slice(0, i).findLast((t) => t.who === from);
        const paths = [...(screen?.opening === true ? ['PLAN.yaml'] : []), ...(screen?.shows ?? []).map((m) => `round-${String(m.round + 1)}/${m.from}.blob`)];
        for (const path of paths) {
          mkdirSync(dirname(join(world.member(who).copy('codes'), path)), { recursive: true });
          cpSync(join(world.member(from).copy('codes'), path), join(world.member(who).copy('codes'), path));
        }
      }
      const ran = await world.member(who).run([first ? 'join' : 'next', world.member(who).copy('codes'), '--via', 'qr']);
      shown.push([who, ran.json.nextAction?.code, ran.json.error?.code]);
    }
    expect(shown).toEqual(commands.slice(1).map((c) => [c.who, c.codes.at(-1), undefined]));
    expect(shown.slice(-2)).toEqual([['bob', 'DONE', undefined], ['alice', 'DONE', undefined]]);
    for (const m of [alice, bob]) expect((await m.run(['key', 'show', 'codes'])).json['state']).toBe('active');
  });

  it('on a folder goes on from a folder, and by nothing else', async () => {
    const [alice, bob] = [world.member('alice'), world.member('bob')];
    expect((await alice.run(begin('stick', '--routes', 'folder'))).exit).toBe(0);
    world.courier('stick');
    const joined = await bob.run(['join', bob.copy('stick'), '--via', 'qr']);
    expect([joined.exit, joined.json.error?.code, joined.json.error?.field]).toEqual([20, 'E_ROUTE', 'routes']);
    expect((await bob.run(['join', bob.copy('stick')])).exit).toBe(0);
    world.courier('stick');
    const byCodes = await alice.run(['next', alice.copy('stick'), '--via', 'qr']);
    expect([byCodes.exit, byCodes.json.error?.code]).toEqual([20, 'E_ROUTE']);
    expect((await alice.run(['next', alice.copy('stick')])).exit).toBe(0);
  });

  it('a further attempt keeps the routes; a signing has its own, in the order of the list', async () => {
    const alice = world.member('alice');
    const again = await alice.run(['dkg', '--again', alice.copy('stick'), '--cards', world.cards, '--out', alice.copy('stick-2'), '--unattended']);
    expect(again.json.error).toBeUndefined();
    expect(readFileSync(join(alice.copy('stick-2'), 'PLAN.yaml'), 'utf8')).toMatch(/routes:\n {2}- folder\n[a-z]/);
    const message = join(world.dir, 'm.bin');
    writeFileSync(message, 'pay 5 to the baker');
    const intent = join(world.dir, 'pay.json');
    expect((await alice.run(['intent', 'create', '--key', 'codes', '--action', 'message', '--file', message, '--out', intent])).exit).toBe(0);
    const signing = await alice.run(['sign', '--intent', intent, '--signers', 'alice,bob', '--out', alice.copy('sign'), '--unattended', '--routes', 'relay,qr']);
    expect(signing.json.error).toBeUndefined();
    expect(readFileSync(join(alice.copy('sign'), 'PLAN.yaml'), 'utf8')).toMatch(/routes:\n {2}- qr\n {2}- relay\n/);
    const { json } = await invoke(['plan', 'check', join(alice.copy('sign'), 'PLAN.yaml'), '--json']);
    expect(budgetOf(json).qr.shows.map((s) => s.what)).toEqual(['plan, nonce', 'nonce, share', 'share']);
  });
});
