/** `import`: the lead takes an existing key, or the shares of another implementation, into the care of new members. */
import { readForeignShare } from '../../ceremony/foreign.ts';
import { parseRoutes } from '../../ceremony/routes.ts';
import { startImport } from '../../ceremony/start-import.ts';
import { type SchemeName, SCHEMES } from '../../curves/scheme.ts';
import type { ForeignKey, ForeignShare } from '../../interop/foreign-share.ts';
import { toHex } from '../../wire/bytes.ts';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { byRoute } from '../by-route.ts';
import { type Context, realPath } from '../context.ts';

export type Format = 'key' | 'zf-frost' | 'lockness';

interface ImportOptions {
  name: string;
  share: string;
  format: Format;
  public?: string;
  scheme?: string;
  quorum: string;
  dealers?: string[];
  stock?: number;
  cards?: string;
  expiresDays?: number;
  witness?: string[];
  unattended?: boolean;
  pinProgram?: boolean;
  routes?: string[];
  out: string;
}

function schemeOf(text: string): SchemeName {
  return Object.hasOwn(SCHEMES, text) ? (text as SchemeName) : fail('E_SCHEME', `there is no scheme ${text}`, { field: 'scheme', remedy: `Known schemes: ${Object.keys(SCHEMES).join(', ')}` });
}

/** The share that the files give; each call reads them anew. */
export function shareOf(ctx: Context, options: { share: string; format: Format; public?: string; scheme?: string }): ForeignShare {
  return readForeignShare(ctx.disk, {
    format: options.format,
    share: realPath(options.share),
    public: options.public === undefined ? undefined : realPath(options.public),
    scheme: options.scheme === undefined ? undefined : schemeOf(options.scheme),
  });
}

/** Says which key will sign: whoever hands over a share compares it with the one in use. */
export async function tellKey(ctx: Context, key: ForeignKey): Promise<void> {
  const { outputKey } = await import('../../schnorr/output-key.ts');
  ctx.out.say(`! The key that signs will be ${toHex(outputKey(key.scheme, key.publicKey).bytes)} (${key.scheme}). Compare it with the one in use before anybody goes on.`);
  if (key.scheme === 'frost-secp256k1-tr' && key.format === 'zf-frost')
    ctx.out.say('! A Taproot key from the key generation of ZF FROST was tweaked there already; it is tweaked again here, and has another address then.');
}

export async function importCommand(ctx: Context, options: ImportOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const own = shareOf(ctx, options);
  own.share.fill(0);
  const dealers = (options.dealers ?? [`${home.facts.name}=1`]).map((text): readonly [string, string] => {
    const [name, id, more] = text.split('=');
    return name && id && more === undefined ? [name, id] : fail('E_USAGE', `${text}: write NAME=IDENTIFIER, the identifier in hex or its place from 1`, { field: 'dealers' });
  });
  const step = await startImport(
    home,
    {
      name: options.name,
      source: own.key,
      quorum: options.quorum,
      dealers,
      stock: options.stock ?? 0,
      cards: options.cards === undefined ? undefined : realPath(options.cards),
      witnesses: options.witness,
      attended: options.unattended !== true,
      days: options.expiresDays ?? 30,
      pinProgram: options.pinProgram === true,
      routes: options.routes && parseRoutes(options.routes),
      out: realPath(options.out),
    },
    { ...ctx.port(home), imported: () => shareOf(ctx, options) },
  );
  await tellKey(ctx, own.key);
  ctx.out.say('! The key still lies in the file that it was read from. Destroy that file and every copy of it.');
  return byRoute(ctx, home, realPath(options.out), step);
}

/** `backup export --as`: the way out, to another implementation. */
export async function exportAs(ctx: Context, options: { key: string; as: 'zf-frost' | 'lockness'; to?: readonly string[]; out: string }): Promise<ExitCode> {
  const home = await ctx.home('write');
  const [to, more] = options.to ?? [];
  if (to === undefined || more !== undefined) return fail('E_RECIPIENT', 'a share in the format of others goes to exactly one recipient', { field: 'to', remedy: 'Give --to CARD or age1…: the key of the machine where the other implementation runs.' });
  const { exportForeign } = await import('../../ceremony/foreign-export.ts');
  const wrote = await exportForeign(home, { key: options.key, as: options.as, to: /^age1/.test(to) ? to : realPath(to), out: realPath(options.out) }, ctx.port(home));
  ctx.out.result({ schema: 'mpc-ceremony/foreign-export/1', key: options.key, as: options.as, wrote, exit: 0 }, [
    `✓ The share of this home as ${options.as}, encrypted`,
    ...wrote.map((w) => `  ${w.sha256.slice(0, 8)}  ${w.path}`),
    '! It signs wherever it is opened: nothing here sees that, no policy, no transcript.',
    '! A copy in two places is two places to lose it. When all have moved: mpc-ceremony key retire.',
    ...(options.as === 'zf-frost' ? ['! Child keys are not taken along: the format has no chain code.'] : ['! Auxiliary information has to be made there, by all holders together.']),
  ]);
  return EXIT.ok;
}
