/** What each route of a ceremony costs, as lines for people (80 columns). */
import { FRAMES_A_SECOND, inWords, LOSS, type ScreenName, SCREENS, type TransportBudget, VERSIONS } from '../ceremony/transport-budget.ts';
import { allowedRoutes, onlyQr, ROUTE_NAMES } from '../ceremony/routes.ts';
import { type Plan, ROUTES } from '../plan/plan.ts';
import { wrap } from './output.ts';

const number = (n: number): string => String(n).replace(/\B(?=(?:\d{3})+$)/g, ',');
const times = (n: number): string => (n === 1 ? 'once' : `${String(n)} times`);

/** Whom a row is about: one name, or how many. */
function people(names: readonly string[]): string {
  return names.length === 1 ? (names[0] ?? '') : `each of ${String(names.length)}`;
}

const COLUMNS: Readonly<Record<ScreenName, string>> = { '80x24': `80x24 v${String(VERSIONS['80x24'])}`, '120x40': `120x40 v${String(VERSIONS['120x40'])}`, v20: 'GIF v20', v27: 'GIF v27' };

/** One row: what, bytes, and under each screen codes and time. */
function row(what: string, bytes: string, cells: readonly string[]): string {
  return `  ${what.padEnd(24)}${bytes.padStart(9)} ${cells.map((c) => c.padStart(10)).join(' ')}`.trimEnd();
}

function table(budget: TransportBudget): string[] {
  const heads = row('by QR codes', 'bytes', SCREENS.map((s) => COLUMNS[s]));
  const rows = budget.qr.shows.flatMap(({ what, from, to, bytes, codes }) => {
    const cells = SCREENS.map((s) => {
      const cost = codes[s];
      return cost ? `${String(cost.codes)} ${inWords(cost.seconds)}` : '-';
    });
    const who = `${people(from)} to ${people(to)}`;
    return [row(what.length > 24 ? `${what.slice(0, 23)}…` : what, number(bytes), cells), `    ${who}`];
  });
  return [heads, ...rows];
}

/** The lines of `plan check` about routes. */
export function budgetLines(plan: Pick<Plan, 'routes'>, budget: TransportBudget): string[] {
  const { folder, qr, relay } = budget;
  const allowed = allowedRoutes(plan);
  const minutes = (screen: ScreenName): string => {
    const m = qr.minutes[screen];
    return m === null ? 'too many codes for one sequence' : `${String(m)} min`;
  };
  const barred = ROUTES.filter((r) => !allowed.includes(r)).map((r) => ROUTE_NAMES[r]);
  const trace = budget.messages.find((m) => m.optional === true);
  return [
    'What each route costs:',
    wrap(`By folder: one stick going round is handed over ${times(folder.handOvers)}.`, 78, '  '),
    wrap(
      `By QR codes: ${qr.hub} scans ${times(qr.scans.hub)}, everybody else ${times(qr.scans.others)}; together ${number(qr.scans.all)} scans. All of them, one after the other: ${minutes('120x40')} on terminals of 120x40, ${minutes('80x24')} on 80x24, ${minutes('v27')} as GIF or page of version 27. Below, the number of codes and the time of one scan: ${String(FRAMES_A_SECOND)} codes a second, ${String(100 * LOSS)} % of them lost, taking aim not counted.`,
      78,
      '  ',
    ),
    ...table(budget),
    ...(trace ? [wrap(`Not counted: ${trace.message}, ${number(trace.bytes)} bytes of everybody, said only where something does not add up.`, 78, '  ')] : []),
    wrap(`By relay: ${number(relay.parts)} parts, about ${number(Math.ceil(relay.bytes / 1000))} kB; ${number(relay.visits)} steps, or one of each participant with --wait.`, 78, '  '),
    ...(barred.length > 0 ? [wrap(`This plan does not allow: ${barred.join(', ')}.${onlyQr(plan) ? ' The records of all machines are brought together by file afterwards.' : ''}`, 78, '  ')] : []),
  ];
}
