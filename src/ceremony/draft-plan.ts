/**
 * A plan as it will follow from a draft, with keys that nobody has: they are drawn from a hash, so that what depends on a
 * plan's form alone (steps, sizes, the time that codes take) can be told before there are cards. It can never be joined:
 * it is made for looking at and is written nowhere. Public.
 */
import { parseQuorum } from '../sharing/expression.ts';
import type { DkgPlan } from '../plan/plan.ts';
import { toHex, utf8 } from '../wire/bytes.ts';
import { sha256 } from '../wire/hash.ts';
import type { Draft } from './draft.ts';

/** Hex of so many bytes that deflate no better than keys do. */
function filler(label: string, bytes: number): string {
  let hex = '';
  for (let i = 0; hex.length < 2 * bytes; i++) hex += toHex(sha256(utf8(`${label} ${String(i)}`)));
  return hex.slice(0, 2 * bytes);
}

/** @throws E_QUORUM_SYNTAX, E_SEAT_DUP, E_THRESHOLD, E_ROLE_SHORT for a quorum that is none */
export function planOfDraft(draft: Draft): DkgPlan {
  const leaves = parseQuorum(draft.quorum, draft.roles).leaves.map((l) => l.name);
  const person = (name: string) => ({ name, identity: filler(`${name} identity`, 32), homeId: filler(`${name} home`, 16) });
  const { roles, witnesses, machine, routes, rehearsal, program } = draft;
  return {
    schema: 'mpc-ceremony/plan/1',
    kind: 'dkg',
    name: draft.name,
    mode: 'production',
    attended: draft.attended,
    attempt: 1,
    nonce: filler('nonce', 32),
    lead: leaves[0] as string,
    created: '2026-01-01T00:00:00Z',
    expires: '2026-01-31T00:00:00Z',
    rank: 1,
    scheme: draft.scheme,
    quorum: draft.quorum,
    stock: draft.stock,
    ...(roles ? { roles } : {}),
    ...(machine ? { machine } : {}),
    ...(program ? { program: filler('program', 32) } : {}),
    ...(routes ? { routes } : {}),
    ...(rehearsal ? { rehearsal: filler('rehearsal', 32) } : {}),
    participants: leaves.map((name) => {
      const { person: who, unit, place, vendor } = draft.participants.find((p) => p.name === name) ?? {};
      const about = { ...(who === undefined ? {} : { person: who }), ...(unit === undefined ? {} : { unit }), ...(place === undefined ? {} : { place }), ...(vendor === undefined ? {} : { vendor }) };
      return { ...person(name), ...about, x25519: filler(`${name} x25519`, 32), prekey: { n: 1, P: filler(`${name} P`, 32), pop: filler(`${name} pop`, 64) } };
    }),
    ...(witnesses ? { witnesses: witnesses.map(person) } : {}),
  };
}
