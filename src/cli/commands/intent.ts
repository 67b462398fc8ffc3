/** `intent create`, `intent show`. */
import { resolve } from 'node:path';
import { utc } from '../../ceremony/times.ts';
import { ulid } from '../../ceremony/ulid.ts';
import { requireKey } from '../../ceremony/key-store.ts';
import { SCHEMES } from '../../curves/scheme.ts';
import { intentMessage, MAX_INLINE_BYTES, MAX_INTENT_BYTES, MAX_MESSAGE_BYTES, makeIntent, parseIntent, type SignedIntent } from '../../policy/intent.ts';
import { toHex } from '../../wire/bytes.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { sha256 } from '../../wire/hash.ts';
import { formatWords, words } from '../../wire/words.ts';
import type { Context } from '../context.ts';
import { fold } from '../output.ts';

interface CreateOptions {
  key: string;
  action: string;
  file: string;
  out: string;
  path?: string;
  expires?: string;
  reason?: string;
  hash?: string;
}

export async function intentCreate(ctx: Context, options: CreateOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const { action } = options;
  if (action !== 'message' && action !== 'digest') return fail('E_INTENT', `there is no action ${action}`, { field: 'action', remedy: 'The actions are: message, digest' });
  const certificate = requireKey(home, options.key);
  const { epoch } = certificate;
  const hashes = SCHEMES[epoch.key.scheme].protocol === 'cggmp24';
  if (!hashes && (options.hash !== undefined || action === 'digest')) fail('E_INTENT', `${epoch.key.scheme} signs the bytes as they are; hashes and digests are for ECDSA`, { field: options.hash === undefined ? 'action' : 'hash' });
  if (action === 'digest' && options.hash !== undefined) fail('E_INTENT', 'a digest is signed as it is: --hash does not go with it', { field: 'hash' });
  const hash = hashes && action === 'message' ? (options.hash ?? 'sha256') : undefined;
  if (hash !== undefined && hash !== 'sha256' && hash !== 'keccak256') return fail('E_INTENT', `there is no hash ${hash}`, { field: 'hash', remedy: 'The hashes are: sha256, keccak256' });
  const file = resolve(options.file);
  const message = ctx.disk.read(file, MAX_MESSAGE_BYTES) ?? fail('E_MISSING', `there is no message ${file}`, { file });
  if (action === 'digest' && message.length !== 32) fail('E_INTENT', `a digest has 32 bytes, this file has ${String(message.length)}`, { file, field: 'file' });
  const out = resolve(options.out);
  if (ctx.disk.exists(out)) fail('E_EXISTS', `${out} exists`, { file: out, remedy: 'Name a new file with --out.' });
  const { signer } = await ctx.port(home).unlock();
  const now = ctx.now();
  const inline = message.length <= MAX_INLINE_BYTES;
  const bytes = makeIntent(
    {
      v: 1,
      type: 'mpc-ceremony/intent',
      id: ulid(now, ctx.random),
      mode: epoch.key.mode,
      keyName: epoch.key.name,
      keyId: epoch.key.id,
      keyEpoch: epoch.number,
      algorithm: epoch.key.scheme,
      ...(options.path === undefined ? {} : { path: options.path }),
      action,
      payload: { kind: 'message', ...(hash === undefined ? {} : { hash }), size: message.length, sha256: toHex(sha256(message)), ...(inline ? { bytes: `0x${toHex(message)}` } : {}) },
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      initiator: { name: home.facts.name, identity: toHex(signer.publicKey) },
      created: utc(now),
      expires: options.expires ?? utc(new Date(now.getTime() + 86_400_000)),
      singleUse: true,
    },
    signer,
  );
  if (!inline) ctx.disk.write(`${out}.message`, message, { mode: 0o644 });
  ctx.disk.write(out, bytes, { mode: 0o644 });
  return show(ctx, parseIntent(bytes, out), out, message, ['✓ The intent is made and signed.']);
}

export async function intentShow(ctx: Context, argument: string): Promise<ExitCode> {
  const file = resolve(argument);
  const signed = parseIntent(ctx.disk.read(file, MAX_INTENT_BYTES) ?? fail('E_MISSING', `there is no intent ${file}`, { file }), file);
  return show(ctx, signed, file, intentMessage(signed.intent, ctx.disk.read(`${file}.message`, MAX_MESSAGE_BYTES)), []);
}

function show(ctx: Context, signed: SignedIntent, file: string, message: Uint8Array, first: readonly string[]): ExitCode {
  const { intent, hash } = signed;
  const list = words(hash.slice(0, 16));
  const lines = [
    ...first,
    ...(intent.action === 'digest'
      ? ['Sign         a DIGEST of 32 bytes that was made elsewhere. NOBODY HERE CAN READ what', '             it stands for. Ask the initiator for the message itself.', `             ${toHex(message)}`]
      : [
          `Sign         the exact bytes of a message (${String(message.length)} bytes)${intent.payload.hash === undefined ? '' : `, hashed with ${intent.payload.hash}`}`,
          `             sha256 ${intent.payload.sha256}`,
          ...preview(message),
        ]),
    `With         ${intent.keyName}, epoch ${String(intent.keyEpoch)}, ${intent.algorithm}${intent.path === undefined ? '' : `, path ${intent.path}`}`,
    `Initiator    ${intent.initiator.name}${intent.reason === undefined ? '' : `: ${intent.reason}`}`,
    `Valid        ${intent.created} to ${intent.expires}, once`,
    `Intent hash  ${toHex(hash)}`,
    ...formatWords(list),
  ];
  ctx.out.result({ schema: 'mpc-ceremony/intent/1', file, hash: toHex(hash), words: list, intent, exit: 0 }, lines.flatMap(fold));
  return EXIT.ok;
}

/** The first line of a message that is plain printable text; nothing otherwise. */
function preview(message: Uint8Array): string[] {
  const text = Buffer.from(message.subarray(0, 64)).toString('latin1');
  if (!/^[\x20-\x7e\r\n\t]+$/.test(text)) return [];
  const line = (text.split(/[\r\n]/)[0] ?? '').replaceAll('\t', ' ');
  return [`             “${line}${line.length < message.length ? '…' : ''}”`];
}
