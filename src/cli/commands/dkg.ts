/** `dkg`: the lead begins a key generation. */
import { resolve } from 'node:path';
import { readPlan } from '../../ceremony/join.ts';
import { parseRoutes } from '../../ceremony/routes.ts';
import { startDkg, type DkgRequest } from '../../ceremony/start.ts';
import { parseDraft } from '../../ceremony/draft.ts';
import { type SchemeName, SCHEMES } from '../../curves/scheme.ts';
import { MAX_PLAN_FILE_BYTES } from '../../plan/plan-file.ts';
import { sessionId } from '../../plan/plan.ts';
import { toHex } from '../../wire/bytes.ts';
import { type ExitCode, fail } from '../../wire/errors.ts';
import { byRoute } from '../by-route.ts';
import { type Context, realPath } from '../context.ts';

interface DkgOptions {
  name?: string;
  scheme?: string;
  quorum?: string;
  plan?: string;
  cards?: string;
  stock?: number;
  expiresDays?: number;
  witness?: string[];
  unattended?: boolean;
  pinProgram?: boolean;
  rehearsed?: string;
  again?: string;
  routes?: string[];
  out?: string;
}

type Draft = Pick<DkgRequest, 'name' | 'scheme' | 'quorum' | 'roles' | 'about' | 'stock' | 'attended' | 'days' | 'network' | 'witnesses' | 'requireRehearsal' | 'pinProgram' | 'routes'>;

function schemeOf(text: string): SchemeName {
  if (Object.hasOwn(SCHEMES, text)) return text as SchemeName;
  return fail('E_SCHEME', `there is no scheme ${text}`, { field: 'scheme', remedy: `Known schemes: ${Object.keys(SCHEMES).join(', ')}` });
}

export async function dkg(ctx: Context, options: DkgOptions): Promise<ExitCode> {
  const home = await ctx.home('write');
  const out = realPath(options.out ?? fail('E_USAGE', 'the folder to make is missing: --out DIR', { field: 'out' }));
  let draft: Draft;
  let previous: DkgRequest['previous'];
  if (options.again !== undefined) {
    const { plan } = await readPlan(home, resolve(options.again));
    if (plan.kind !== 'dkg') fail('E_USAGE', `the ceremony in ${options.again} is a ${plan.kind}`, { field: 'again' });
    previous = { sid: toHex(sessionId(plan)), attempt: plan.attempt };
    draft = {
      name: plan.name,
      scheme: plan.scheme,
      quorum: plan.quorum,
      roles: plan.roles,
      about: new Map(plan.participants.map((p) => [p.name, p])),
      stock: plan.stock,
      attended: plan.attended,
      days: 30,
      network: plan.machine?.network,
      witnesses: plan.witnesses?.map((w) => w.name),
      pinProgram: plan.program !== undefined,
      routes: plan.routes,
    };
  } else if (options.plan !== undefined) {
    const file = resolve(options.plan);
    const d = await parseDraft(ctx.disk.read(file, MAX_PLAN_FILE_BYTES) ?? fail('E_MISSING', `there is no draft ${file}`, { file }), file);
    draft = {
      name: d.name,
      scheme: d.scheme,
      quorum: d.quorum,
      roles: d.roles,
      about: new Map(d.participants.map((p) => [p.name, p])),
      stock: d.stock,
      attended: d.attended,
      days: d.expiresInDays,
      network: d.machine?.network,
      witnesses: d.witnesses,
      routes: d.routes,
      requireRehearsal: d.rehearsal === 'required',
      pinProgram: d.program === 'pinned',
    };
  } else {
    draft = {
      name: options.name ?? fail('E_USAGE', 'the name of the key is missing: --name NAME', { field: 'name' }),
      scheme: schemeOf(options.scheme ?? fail('E_USAGE', 'the scheme is missing: --scheme SCHEME', { field: 'scheme' })),
      quorum: options.quorum ?? fail('E_USAGE', 'the quorum is missing: --quorum EXPR', { field: 'quorum' }),
      stock: 0,
      attended: true,
      days: 30,
    };
  }
  const step = await startDkg(
    home,
    {
      ...draft,
      ...(options.quorum === undefined ? {} : { quorum: options.quorum }),
      ...(options.stock === undefined ? {} : { stock: options.stock }),
      ...(options.expiresDays === undefined ? {} : { days: options.expiresDays }),
      ...(options.witness === undefined ? {} : { witnesses: options.witness }),
      ...(options.unattended === true ? { attended: false } : {}),
      ...(options.pinProgram === true ? { pinProgram: true } : {}),
      ...(options.routes === undefined ? {} : { routes: parseRoutes(options.routes) }),
      rehearsed: options.rehearsed === undefined ? undefined : realPath(options.rehearsed),
      cards: options.cards === undefined ? undefined : realPath(options.cards),
      out,
      previous,
    },
    ctx.port(home),
  );
  return byRoute(ctx, home, out, step);
}
