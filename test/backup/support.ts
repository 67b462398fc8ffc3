/** Keys with certificates made in one place, and backups of their shares: for tests of the pure layer. */
import { randomBytes } from 'node:crypto';
import type { BackupRecord, ParsedBackup } from '../../src/backup/backup-file.ts';
import { backupSignedBytes, encodeBackup, parseBackup } from '../../src/backup/backup-file.ts';
import { type BackupFor, makeBackup, type NamedKey, type OpenPackage, signBackup } from '../../src/backup/make-backup.ts';
import { ownerShare, statementOf } from '../../src/backup/statement.ts';
import type { Statement } from '../../src/backup/pve.ts';
import { x25519Public } from '../../src/backup/x25519.ts';
import { type Group, group as groupOf } from '../../src/curves/group.ts';
import { type SchemeName, SCHEMES } from '../../src/curves/scheme.ts';
import { type Certificate, completeCertificate, confirmBody, epochDigest, type EpochRecord, epochSeats } from '../../src/protocols/epoch.ts';
import { makePolynomials, subShares } from '../../src/sharing/deal.ts';
import { parseQuorum, type Quorum } from '../../src/sharing/expression.ts';
import { encodeTree } from '../../src/sharing/tree.ts';
import { EMPTY_HEAD, makeBlob, openBlob } from '../../src/wire/blob.ts';
import { concat, fromHex, toHex } from '../../src/wire/bytes.ts';
import { type Signer, signerFromSeed } from '../../src/wire/ed25519.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { sha256 } from '../../src/wire/hash.ts';

export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
export const MADE = '2026-03-01T12:00:00Z';

/** One scheme of each group. */
export const ONE_OF_EACH: readonly SchemeName[] = ['frost-ed25519', 'frost-ristretto255', 'frost-ed448', 'frost-secp256k1-tr', 'frost-p256'];

/** A key whose shares the test knows. */
export interface Key {
  readonly group: Group;
  readonly quorum: Quorum;
  readonly certificate: Certificate;
  /** Encoded leaf shares by name. */
  readonly shares: ReadonlyMap<string, Uint8Array>;
  readonly signers: ReadonlyMap<string, Signer>;
  /** The whole key. */
  readonly secret: bigint;
}

/** Makes a key with a certificate that the real parser accepts. @param over fields of the record; @param secret the key, to make further epochs of it */
export function makeKey(scheme: SchemeName, expression: string, over: { readonly number?: number; readonly name?: string; readonly id?: string; readonly signers?: ReadonlyMap<string, Signer>; readonly homes?: ReadonlyMap<string, string>; readonly secret?: bigint } = {}): Key {
  const group = groupOf(SCHEMES[scheme].group);
  const quorum = parseQuorum(expression);
  const { coefficients, tree } = makePolynomials(group, quorum, 'import', over.secret ?? group.randomScalar(random), random);
  const list = subShares(coefficients, quorum);
  const names = quorum.leaves.map((l) => l.name);
  const signers = over.signers ?? new Map(names.map((n) => [n, signerFromSeed(random(32))]));
  const ecdsa = SCHEMES[scheme].protocol === 'cggmp24';
  const hashes = (): Record<string, string> => Object.fromEntries(names.map((n) => [n, toHex(random(32))]));
  const epoch: EpochRecord = {
    v: 1,
    type: 'mpc-ceremony/epoch',
    kind: 'dkg',
    session: toHex(random(32)),
    attempt: 1,
    number: over.number ?? 1,
    key: { name: over.name ?? 'treasury', id: over.id ?? toHex(random(16)), scheme, mode: 'rehearsal' },
    publicKey: toHex(group.encodePoint(group.multiply(group.base, coefficients.constant))),
    quorum: quorum.text,
    tree: toHex(encodeTree(tree)),
    chainCode: toHex(random(32)),
    roster: names.map((name) => ({ name, identity: toHex((signers.get(name) as Signer).publicKey), homeId: over.homes?.get(name) ?? toHex(random(16)), x25519: toHex(random(32)) })),
    ...(ecdsa ? { auxiliary: names.map(() => ({ n: toHex(random(384)), nHat: toHex(random(384)), s: toHex(random(384)), t: toHex(random(384)) })) } : {}),
    rounds: { commit: hashes(), deal: hashes(), ...(ecdsa ? { prove: hashes() } : {}) },
  };
  const session = { sid: fromHex(epoch.session), kind: epoch.kind, attempt: epoch.attempt, seats: epochSeats(epoch) };
  const last = epoch.rounds.prove ?? epoch.rounds.deal;
  const echo = concat(...names.map((n) => fromHex(last[n] as string)));
  const confirms = new Map(
    session.seats.map((seat) => {
      const body = confirmBody({ echo, epoch: epochDigest(epoch), prekey: { n: 5, P: random(32), pop: random(64) }, stock: [] });
      return [seat.leaf, openBlob(makeBlob(session, seat, ecdsa ? 4 : 3, EMPTY_HEAD, body, signers.get(seat.name) as Signer), session)] as const;
    }),
  );
  return {
    group,
    quorum,
    certificate: completeCertificate(epoch, session, confirms),
    shares: new Map(quorum.leaves.map((l, i) => [l.name, group.encodeScalar(list[i] as bigint)])),
    signers,
    secret: coefficients.constant,
  };
}

/** A recipient with its secret. */
export interface Keeper extends NamedKey {
  readonly name: string;
  readonly secret: Uint8Array;
}

export function keeper(name: string): Keeper {
  const secret = random(32);
  return { name, secret, key: x25519Public(secret) };
}

export interface MadeBackup {
  readonly backup: ParsedBackup;
  readonly packages: readonly OpenPackage[];
}

/** A backup of a share, through the bytes of its file. The age files are named by the hashes of their contents in clear. */
export function backupOf(key: Key, owner: string, to: BackupFor, file = `${owner}-${key.certificate.epoch.key.name}-epoch-${String(key.certificate.epoch.number)}.backup`): MadeBackup {
  const draft = makeBackup(key.certificate, owner, (key.shares.get(owner) as Uint8Array).slice(), to, MADE, random);
  const age = draft.packages.map((p) => ({ custodian: p.custodian, lock: 'x25519' as const, sha256: toHex(sha256(p.bytes)), bytes: p.bytes.length }));
  return { backup: parseBackup(encodeBackup(signBackup(draft, age, key.signers.get(owner) as Signer)), file), packages: draft.packages };
}

/** To one keeper. */
export const toOne = (k: NamedKey): BackupFor => ({ kind: 'recipients', keys: [{ name: k.name, key: k.key }] });
/** To custodians under a quorum. */
export const toQuorum = (expression: string, keepers: readonly Keeper[]): BackupFor => {
  const quorum = parseQuorum(expression);
  return { kind: 'custodians', quorum, keys: quorum.leaves.map((l) => ({ name: l.name, key: (keepers.find((k) => k.name === l.name) as Keeper).key })) };
};

/** The same file with other contents, signed again by whoever is given, or not at all. */
export function altered({ file, record }: ParsedBackup, change: (record: Mutable<BackupRecord>) => void, signer?: Signer): ParsedBackup {
  const next = structuredClone(record) as Mutable<BackupRecord>;
  change(next);
  if (signer) {
    const { sig: _, ...unsigned } = next;
    next.sig = toHex(signer.sign(backupSignedBytes(unsigned as Omit<BackupRecord, 'sig'>)));
  }
  return parseBackup(encodeBackup(next as BackupRecord), file);
}

export type Mutable<T> = T extends readonly (infer E)[] ? Mutable<E>[] : T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** The statement that a single recipient's proof is about. */
export function statementFor(key: Key, owner: string, sid: string, to: NamedKey): Statement {
  return statementOf(key.certificate, ownerShare(key.certificate, owner), { sid, name: to.name, key: to.key });
}

/** The code of the refusal. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (e) {
    if (e instanceof CeremonyError) return e.code;
    throw e;
  }
  return 'none';
}
