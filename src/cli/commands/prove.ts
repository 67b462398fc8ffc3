/** `key prove`: shows that this home still holds its share, and takes the proofs of others. */
import { join } from 'node:path';
import { isEarlierProof, proveShare, recordOwnProof, takeProof } from '../../ceremony/share-health.ts';
import type { Home } from '../../ceremony/home.ts';
import { requireKey } from '../../ceremony/key-store.ts';
import { MAX_SHARE_PROOF_BYTES } from '../../protocols/share-proof.ts';
import { toHex } from '../../wire/bytes.ts';
import { CeremonyError, EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { sha256 } from '../../wire/hash.ts';
import { type Context, realPath } from '../context.ts';
import { fold } from '../output.ts';

interface ProveOptions {
  out?: string;
  challenge?: string;
  take?: string[];
}

export async function keyProve(ctx: Context, key: string, { out, challenge: given, take }: ProveOptions): Promise<ExitCode> {
  const challenge = given?.toLowerCase();
  if (challenge !== undefined && !/^[0-9a-f]{64}$/.test(challenge)) fail('E_USAGE', 'a challenge is 32 bytes in hex: 64 digits', { field: 'challenge', remedy: 'Whoever wants the proof chooses it at random, and keeps it until the proof is back.' });
  if (take !== undefined && out !== undefined) fail('E_USAGE', '--out does not go with --take, which writes no file', { field: 'out' });
  const home = await ctx.home('write');
  return take === undefined ? prove(ctx, home, key, out, challenge) : takeAll(ctx, home, key, take, challenge);
}

async function prove(ctx: Context, home: Home, key: string, out: string | undefined, challenge: string | undefined): Promise<ExitCode> {
  requireKey(home, key);
  const identity = await ctx.port(home).unlock();
  const { proof, bytes, name } = proveShare(home, identity, key, ctx.now(), ctx.random, challenge);
  const file = realPath(out ?? join('.', name));
  if (ctx.disk.exists(file) && !isEarlierProof(ctx.disk.read(file, 1 << 20) ?? bytes, proof)) fail('E_EXISTS', `${file} exists and is not an earlier proof of this home`, { file, remedy: 'Name a new file with --out.' });
  ctx.disk.write(file, bytes, { mode: 0o644, verify: true });
  recordOwnProof(home, proof);
  ctx.out.result(
    { schema: 'mpc-ceremony/share-proof/1', key, epoch: proof.epoch, participant: proof.owner, leaf: proof.leaf, at: proof.at, ...(challenge === undefined ? {} : { challenge }), file, sha256: toHex(sha256(bytes)), exit: 0 },
    [
      `✓ This home holds its share of ${key}, epoch ${String(proof.epoch)}. The proof lies in`,
      `  ${file}`,
      'It is public and signs nothing. Others take it up with',
      `  mpc-ceremony key prove ${key} --take FILE`,
      ...(challenge === undefined ? ['Its time is what this machine says; to be sure of it, give a --challenge.'] : []),
    ],
  );
  return EXIT.ok;
}

/** Takes what holds, then refuses what does not: a bad file keeps no good one out. */
function takeAll(ctx: Context, home: Home, key: string, files: readonly string[], challenge: string | undefined): ExitCode {
  const { epoch } = requireKey(home, key);
  const taken: { participant: string; at: string; last: string; file: string }[] = [];
  const refused: CeremonyError[] = [];
  for (const argument of files) {
    const file = realPath(argument);
    try {
      const bytes = ctx.disk.read(file, MAX_SHARE_PROOF_BYTES) ?? fail('E_MISSING', `there is no proof ${file}`, { file });
      const { proof, last } = takeProof(home, key, bytes, file, ctx.now(), challenge);
      taken.push({ participant: proof.owner, at: proof.at, last, file });
    } catch (e) {
      if (!(e instanceof CeremonyError)) throw e;
      refused.push(e.with({ file }));
    }
  }
  const lines = taken.map((t) => `✓ ${t.participant} held its share of ${key}, epoch ${String(epoch.number)}, at ${t.at}${t.last === t.at ? '' : `; already proven at ${t.last}`}`);
  const first = refused.find((e) => e.exit === EXIT.wrong) ?? refused[0];
  if (first) {
    const others = refused.filter((e) => e !== first);
    Object.assign(ctx.about, { key, epoch: epoch.number, taken, refused: refused.map((e) => ({ code: e.code, participant: e.facts.participant, file: e.facts.file, text: e.message })) });
    throw new CeremonyError(first.code, first.message, { ...first.facts, details: [...lines, ...others.map((e) => `✗ ${String(e.exit)} ${e.code.slice(2)}  ${e.message}: ${e.facts.file ?? ''}`)], cause: first });
  }
  ctx.out.result({ schema: 'mpc-ceremony/share-proofs/1', key, epoch: epoch.number, ...(challenge === undefined ? {} : { challenge }), taken, exit: 0 }, [
    ...lines.flatMap(fold),
    ...(challenge === undefined ? ['Each time is what its holder says: a proof made to a --challenge is surely fresh.'] : ['All answer the challenge.']),
  ]);
  return EXIT.ok;
}
