/** `key list`, `key show`, `key export`: public facts, and what a key needs and when. */
import { activatedAt, CARE_RULES, CARE_WARNINGS, careItems, type CareItem, careOf } from '../../ceremony/care.ts';
import { activeEpoch, isForked, isRestored, isRetired, keyNames, pendingEpochs, requireKey, sharePath } from '../../ceremony/key-store.ts';
import { type Home, inHome } from '../../ceremony/home.ts';
import { unspentPresignatures } from '../../ceremony/presignatures.ts';
import type { Certificate } from '../../protocols/epoch.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { fromHex, toHex } from '../../wire/bytes.ts';
import { formatWords, words } from '../../wire/words.ts';
import type { Context } from '../context.ts';
import { fold } from '../output.ts';

/** Unspent presignatures of this home, by signers and path. */
function presignatureStock(home: Home, { epoch }: Certificate): { signers: string[]; path: string; count: number }[] {
  const counts = new Map<string, { signers: string[]; path: string; count: number }>();
  for (const { signers, path } of unspentPresignatures(home, epoch.key.name, epoch.number)) {
    const names = signers.map((leaf) => epoch.roster[leaf - 1]?.name ?? '');
    const place = `${names.join()} ${path}`;
    counts.set(place, { signers: names, path, count: (counts.get(place)?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}

/** What has to be done for a key in this home, and when. */
function careFacts(home: Home, certificate: Certificate, now: Date): { activated: string | undefined; items: CareItem[] } {
  const { epoch } = certificate;
  const care = careOf(home, epoch.key.name);
  const activated = activatedAt(home, certificate, care);
  return { activated, items: careItems(care, { epoch: epoch.number, activated, participants: epoch.roster.map((p) => p.name) }, now, CARE_RULES) };
}

/** The same for scripts: times are UTC or null; `overdue` and `warnings` name each kind once. */
function careJson({ activated, items }: ReturnType<typeof careFacts>): Record<string, unknown> {
  const overdue = [...new Set(items.filter((i) => i.overdue).map((i) => i.kind))];
  const of = ({ last, due, ...item }: CareItem): Record<string, unknown> => ({ ...item, last: last ?? null, due: due ?? null });
  return { care: { activated: activated ?? null, items: items.map(of) }, overdue, warnings: overdue.map((kind) => CARE_WARNINGS[kind]) };
}

const SEEN = { here: 'in this home', challenge: 'to a challenge', dated: 'by its own clock' } as const;
const CARE_NAMES = { refresh: 'refresh', backup: 'backup test', drill: 'drill' } as const;

/** The same for people: who was proven when, what comes next, and what is overdue. */
function careLines({ items }: ReturnType<typeof careFacts>): string[] {
  const proofs = items.filter((i) => i.kind === 'proof');
  const width = Math.max(11, ...proofs.map((i) => i.participant?.length ?? 0));
  const when = ({ due, overdue }: CareItem): string => (overdue ? `, overdue${due === undefined ? '' : ` since ${due.slice(0, 10)}`}` : due === undefined ? '' : `, due ${due.slice(0, 10)}`);
  const line = (name: string, i: CareItem, text: string): string => `  ${name.padEnd(width)}  ${text}${when(i)}`;
  const done = ({ kind, last, result }: CareItem): string => {
    if (last === undefined) return kind === 'refresh' ? 'unknown when this epoch began' : 'never';
    return kind === 'refresh' ? `epoch began ${last}` : `${last}${result === undefined ? '' : `, ${result}`}`;
  };
  return [
    'Shares proven in this epoch:',
    ...proofs.map((i) => line(i.participant ?? '', i, i.last === undefined ? 'never' : `${i.last} ${i.seen === undefined ? '' : SEEN[i.seen]}`)),
    'Care:',
    ...items.flatMap((i) => (i.kind === 'proof' ? [] : [line(CARE_NAMES[i.kind], i, done(i))])),
  ];
}

/** What this home can do with an active epoch: all, nothing but deal on, or nothing. */
function stateOf(home: Home, { epoch }: Certificate): 'active' | 'left' | 'restored' | 'locked' | 'retired' | 'shareless' {
  const { name, id } = epoch.key;
  if (isRetired(home, name, id)) return 'retired';
  if (isForked(home, name)) return 'locked';
  if (isRestored(home, epoch)) return 'restored';
  if (home.disk.exists(inHome(home, sharePath(name, epoch.number)))) return 'active';
  return epoch.roster.some((p) => p.homeId === home.facts.homeId) ? 'shareless' : 'left';
}

const STATES = {
  active: 'active',
  left: 'in force without this home, which holds no share of it',
  restored: 'restored from a backup: it deals in a reshare, and signs nothing',
  locked: 'locked: two groups gave the key on (E_FORK)',
  retired: 'ended in this home; its shares are destroyed',
  shareless: 'active; the share of this home is lost',
} as const;

async function facts(home: Home, certificate: Certificate): Promise<Record<string, unknown>> {
  const { epoch } = certificate;
  const { outputKey } = await import('../../schnorr/output-key.ts');
  const { SCHEMES } = await import('../../curves/scheme.ts');
  const publicKey = toHex(outputKey(epoch.key.scheme, fromHex(epoch.publicKey)).bytes);
  return {
    schema: 'mpc-ceremony/key/1',
    key: epoch.key.name,
    id: epoch.key.id,
    scheme: epoch.key.scheme,
    mode: epoch.key.mode,
    quorum: epoch.quorum,
    epoch: epoch.number,
    publicKey,
    ...(SCHEMES[epoch.key.scheme].taproot ? { internalKey: epoch.publicKey.slice(2) } : {}),
    participants: epoch.roster.map((p) => p.name),
    state: stateOf(home, certificate),
    ...(epoch.base ? { base: epoch.base.number } : {}),
    ...(epoch.born ? { born: epoch.born } : {}),
    certificate: certificate.sha256,
    words: words(certificate.digest.slice(0, 16)),
    pending: pendingEpochs(home, epoch.key.name),
    ...(SCHEMES[epoch.key.scheme].protocol === 'cggmp24' ? { presignatures: presignatureStock(home, certificate) } : {}),
    exit: 0,
  };
}

export async function keyList(ctx: Context): Promise<ExitCode> {
  const home = await ctx.home('read');
  const keys = keyNames(home).map((name) => {
    const epoch = activeEpoch(home, name)?.epoch;
    return epoch
      ? { key: name, scheme: epoch.key.scheme, quorum: epoch.quorum, epoch: epoch.number, state: 'active' }
      : { key: name, state: pendingEpochs(home, name).length > 0 ? 'pending' : 'none' };
  });
  ctx.out.result(
    { schema: 'mpc-ceremony/keys/1', keys, exit: 0 },
    keys.length === 0 ? ['No keys here yet.'] : keys.flatMap((k) => fold(`${k.key}  ${k.state}${k.epoch === undefined ? '' : `  epoch ${String(k.epoch)}  ${k.scheme ?? ''}  ${k.quorum ?? ''}`}`)),
  );
  return EXIT.ok;
}

export async function keyShow(ctx: Context, name: string): Promise<ExitCode> {
  const home = await ctx.home('read');
  const certificate = requireKey(home, name);
  const { epoch } = certificate;
  const f = await facts(home, certificate);
  const care = careFacts(home, certificate, ctx.now());
  const lines = [
    `Key          ${name} (${String(f['mode'])})`,
    `Scheme       ${String(f['scheme'])}`,
    `Quorum       ${String(f['quorum'])}`,
    `Epoch        ${String(f['epoch'])}, ${STATES[stateOf(home, certificate)]}`,
    ...(epoch.born ? ['Born         whole: this key was imported; it existed before it was shared'] : []),
    `Public key   ${String(f['publicKey'])}`,
    ...(f['internalKey'] === undefined ? [] : [`Internal key ${String(f['internalKey'])}`]),
    ...((f['presignatures'] as ReturnType<typeof presignatureStock> | undefined) ?? []).map((p) => `Stock        ${String(p.count)} presignature${p.count === 1 ? '' : 's'} of ${p.signers.join(' and ')}${p.path === 'm' ? '' : `, path ${p.path}`}`),
    'Words of this epoch:',
    ...formatWords(f['words'] as string[]),
    ...(['left', 'retired'].includes(stateOf(home, certificate)) ? [] : careLines(care)),
  ];
  ctx.out.result({ ...f, ...careJson(care) }, lines.flatMap(fold));
  return EXIT.ok;
}

export async function keyExport(ctx: Context, name: string, options: { format: 'pem' | 'raw' | 'xpub' | 'descriptor' | 'jwk'; path?: string }): Promise<ExitCode> {
  const home = await ctx.home('read');
  const certificate = requireKey(home, name);
  const { exportKey } = await import('../../ceremony/key-export.ts');
  const text = exportKey(certificate, options.format, options.path) ?? fail('E_SCHEME', `keys of ${certificate.epoch.key.scheme} have no form ${options.format}`, { field: 'format' });
  ctx.out.result({ schema: 'mpc-ceremony/key-export/1', key: name, format: options.format, value: text, exit: 0 }, [text.trimEnd()]);
  return EXIT.ok;
}
