import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Draft, parseDraft } from '../../src/ceremony/draft.ts';
import { lintDraft } from '../../src/ceremony/draft-lint.ts';
import { utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';

const GOOD = `schema: mpc-ceremony/draft/1
kind: dkg
name: treasury
scheme: frost-ed25519
quorum: all-of(1-of(compliance), 2-of(treasurers))
roles:
  compliance: [carol, dave]
  treasurers: [alice, bob, erin]
participants:
  - {name: carol, place: north}
  - {name: dave, place: south}
  - {name: alice, person: Alice Archer}
  - {name: bob}
  - {name: erin}
attended: true
expiresInDays: 14
`;

async function refusal(text: string): Promise<string> {
  try {
    await parseDraft(utf8(text), 'plan.yaml');
  } catch (e) {
    if (e instanceof CeremonyError) return [e.code, ...(e.facts.details ?? [e.message])].join('\n');
    throw e;
  }
  return 'accepted';
}

test('a good draft', async () => {
  const draft = await parseDraft(utf8(GOOD), 'plan.yaml');
  expect(draft.stock).toBe(0);
  expect(draft.participants[2]).toEqual({ name: 'alice', person: 'Alice Archer' });
  expect(lintDraft(draft)).toMatchObject({ errors: [], warnings: [] });
});

describe('the form', () => {
  test.each<[string, string, string]>([
    ['kind: dkg', 'kind: magic', 'kind: must be dkg'],
    ['schema: mpc-ceremony/draft/1', 'schema: mpc-ceremony/plan/1', 'schema: must be mpc-ceremony/draft/1'],
    ['name: treasury', 'name: Treasury', 'name: a key name is a lowercase letter, then letters, digits or "-", at most 32 in all'],
    ['name: treasury', 'name: 5', 'name: must be text'],
    ['name: treasury\n', '', 'name: missing field'],
    [
      'scheme: frost-ed25519',
      'scheme: frost-ed25518',
      'scheme: must be one of frost-ed25519, frost-secp256k1-tr, frost-secp256k1, frost-p256, frost-ristretto255, frost-ed448, cggmp24-secp256k1, cggmp24-p256',
    ],
    ['attended: true', 'attended: yes', 'attended: must be true or false'],
    ['attended: true', 'attended: true\nstock: 1.5', 'stock: must be a whole number'],
    ['attended: true', 'attended: true\nstock: -1', 'stock: must be at least 0'],
    ['attended: true', 'attended: true\nthreshold: 2', 'threshold: unknown field'],
    ['attended: true', 'attended: true\nmachine: {network: on}', 'machine.network: must be off'],
    ['attended: true', 'attended: true\nmachine: off', 'machine: must be named fields'],
    ['attended: true', 'attended: true\nprogram: yes', 'program: must be pinned'],
    ['expiresInDays: 14', 'expiresInDays: 400', 'expiresInDays: must be at most 365'],
    ['{name: dave, place: south}', '{name: dave, location: south}', 'participants[1].location: unknown field'],
    ['{name: dave, place: south}', '{name: dave, place: }', 'participants[1].place: must be text'],
    ['{name: dave, place: south}', '{name: dave, place: ""}', 'participants[1].place: must not be empty'],
    [
      '{name: dave, place: south}',
      '{name: dave, place: "so\\u202eth"}',
      'participants[1].place: holds control or direction characters, or is not in normal form',
    ],
    [
      '{name: dave, place: south}',
      `{name: dave, place: ${'x'.repeat(65)}}`,
      'participants[1].place: must be at most 64 characters',
    ],
    ['{name: dave, place: south}', '{place: south}', 'participants[1].name: missing field'],
    ['[carol, dave]', 'carol', 'roles.compliance: must be a list'],
    ['[carol, dave]', '[]', 'roles.compliance: is empty'],
    [
      'compliance: [carol, dave]',
      'Compliance: [carol, dave]',
      'roles.Compliance: a role name is a lowercase letter, then letters, digits or "-", at most 32 in all',
    ],
    ['attended: true', 'attended: true\nwitnesses: [W]', 'witnesses[0]: a witness name is a lowercase letter, then letters, digits or "-", at most 32 in all'],
    ['kind: dkg', 'kind: dkg\nkind: dkg', 'line 3, column 1: this field stands here twice'],
    ['[carol, dave]', '&x [carol, dave]', 'line 7, column 15: anchors are not accepted; write the value out'],
  ])('%j → %j', async (from, to, expected) => {
    expect(GOOD).toContain(from);
    expect(await refusal(GOOD.replace(from, to))).toBe(`E_PLAN_FIELD\n${expected}`);
  });

  test('every wrong field is told at once', async () => {
    const text = GOOD.replace('kind: dkg', 'kind: x').replace('place: north', 'place: 7').replace('attended: true\n', '');
    expect(await refusal(text)).toBe(
      ['E_PLAN_FIELD', 'kind: must be dkg', 'participants[0].place: must be text', 'attended: missing field'].join('\n'),
    );
  });

  test('nothing, and too much', async () => {
    expect(await refusal('')).toBe('E_PLAN_FIELD\nthe draft: must be named fields');
    expect(await refusal(`${GOOD}# ${'x'.repeat(65_536)}`)).toMatch(/^E_TOO_LARGE/);
  });
});

describe('what it says', () => {
  const lint = async (edits: readonly (readonly [string, string])[]): Promise<string[]> => {
    let text = GOOD;
    for (const [from, to] of edits) {
      expect(text).toContain(from);
      text = text.replace(from, to);
    }
    const { errors, warnings } = lintDraft(await parseDraft(utf8(text), 'plan.yaml'));
    for (const e of errors) expect(e.text.startsWith(`${e.field}: `)).toBe(true);
    return [...errors.map((e) => `${e.code} ${e.text}`), ...warnings.map((w) => w.code)];
  };
  test.each<[string, [string, string][], string[]]>([
    ['quorum that cannot be read', [['2-of(treasurers))', '2-of(treasurers']], ['E_QUORUM_SYNTAX quorum: a comma or a parenthesis is missing after "treasurers"']],
    [
      'role asked for too much',
      [['2-of(treasurers)', '4-of(treasurers)']],
      ['E_ROLE_SHORT quorum: role treasurers has 3 holders; 4 are asked of it'],
    ],
    [
      'role that no quorum uses',
      [['roles:', 'roles:\n  audit: [bob, erin]']],
      ['E_PLAN_FIELD roles.audit: the quorum does not use this role'],
    ],
    [
      'role and participant of one name',
      [['roles:', 'roles:\n  erin: [bob]']],
      [
        'E_PLAN_FIELD roles.erin: erin is also a participant',
        'E_PLAN_FIELD roles.erin: the quorum does not use this role',
      ],
    ],
    [
      'holder without a seat',
      [['[carol, dave]', '[carol, dave, zed]']],
      ['E_PLAN_FIELD roles.compliance[2]: zed is no participant'],
    ],
    [
      'holder of two roles',
      [['[carol, dave]', '[carol, bob]']],
      ['E_SEAT_DUP quorum: bob stands in the quorum twice'],
    ],
    [
      'participant outside the quorum',
      [['  - {name: erin}', '  - {name: erin}\n  - {name: zed}']],
      ['E_PLAN_FIELD participants[5].name: zed is not in the quorum'],
    ],
    [
      'name that nobody bears',
      [['1-of(compliance)', '1-of(carol, dave, zed)'], ['  compliance: [carol, dave]\n', '']],
      ['E_PLAN_FIELD quorum: zed is neither a participant nor a role'],
    ],
    [
      'two seats of one name',
      [['{name: bob}', '{name: alice}']],
      [
        'E_SEAT_DUP participants[3].name: alice has a seat already: participants[2]',
        'E_PLAN_FIELD roles.treasurers[1]: bob is no participant',
      ],
    ],
    [
      'one person in enough seats',
      [['{name: carol, place: north}', '{name: carol, person: Alice Archer}'], ['{name: bob}', '{name: bob, person: alice archer}']],
      [
        'E_THRESHOLD participants: "Alice Archer" alone could satisfy the quorum with the seats held by that person',
        'W_INDISPENSABLE',
      ],
    ],
    [
      'one participant is enough',
      [['all-of(1-of(compliance), 2-of(treasurers))', 'any-of(1-of(compliance), 2-of(treasurers))']],
      ['E_THRESHOLD quorum: one participant alone satisfies the quorum'],
    ],
    [
      'witness with a share, and named twice',
      [['attended: true', 'attended: true\nwitnesses: [bob, wendy, wendy]']],
      [
        'E_WITNESS_SHARE witnesses[0]: bob holds a share; a witness may not',
        'E_SEAT_DUP witnesses[2]: wendy is named twice',
      ],
    ],
    ['role with one holder', [['[carol, dave]', '[carol]'], ['  - {name: dave, place: south}\n', '']], ['W_INDISPENSABLE', 'W_ROLE_SINGLE']],
    ['both compliance officers in one place', [['south', 'North']], ['W_ONE_PLACE']],
  ])('%s', async (_, edits, expected) => {
    expect(await lint(edits)).toEqual(expected);
  });
});

describe('templates', () => {
  const folder = new URL('../../templates/', import.meta.url);
  const read = async (file: string): Promise<Draft> => parseDraft(readFileSync(new URL(file, folder)), file);
  const drafts = readdirSync(folder).filter((f) => readFileSync(new URL(f, folder), 'utf8').includes('mpc-ceremony/draft/1'));

  test('are there', () => {
    expect(drafts).toEqual(
      expect.arrayContaining(['dkg-2of3.yaml', 'dkg-3of5-institutional.yaml', 'dkg-compliance-and-treasury.yaml', 'ops-2of3.yaml']),
    );
  });

  test.each(drafts)('%s is sound as it stands', async (file) => {
    const { errors, warnings } = lintDraft(await read(file));
    expect(errors).toEqual([]);
    // two parties who need each other: said, and asked for a tested backup (GOV-42, THR-16)
    expect(warnings.map((w) => w.code)).toEqual(file === 'co-managed.yaml' ? ['W_NO_REDUNDANCY'] : []);
  });

  test('institutional: without the HSM seat it holds; two more seats in one organisation are warned of', async () => {
    const draft = await read('dkg-3of5-institutional.yaml');
    const rest = draft.participants.filter((p) => p.name !== 'hsm');
    const without = { ...draft, participants: rest, quorum: `3-of(${rest.map((p) => p.name).join(', ')})` };
    expect(lintDraft(without)).toMatchObject({ errors: [], warnings: [] });
    const moved = draft.participants.map((p) => (p.name === 'hsm' || p.name === 'cloud-a' ? { ...p, unit: 'customer' } : p));
    expect(lintDraft({ ...draft, participants: moved }).warnings).toEqual([
      {
        code: 'W_ONE_UNIT',
        text: 'unit "customer" could sign alone (customer, cloud-a, hsm and offline-backup); spread the participants further',
      },
    ]);
  });

  test('compliance and treasury: neither department alone, no single person needed', async () => {
    const { explanation } = lintDraft(await read('dkg-compliance-and-treasury.yaml'));
    expect(explanation?.sentences[0]).toBe('carol or dave, together with any 2 of alice, bob and erin.');
    expect(explanation?.safety).toContain('No single person, unit or place could sign alone.');
    expect(explanation?.indispensable).toEqual([]);
  });
});
