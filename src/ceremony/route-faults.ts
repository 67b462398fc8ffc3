/**
 * Whether a plan can be carried out on the routes that it allows, by what they cost (transport-budget.ts). A plan for
 * hopeless ones is refused where it is made and where it is checked; who joins one that was made all the same is told. Public.
 */
import { type Plan, type Route, witnessesOf } from '../plan/plan.ts';
import { MAX_PAYLOAD_BYTES } from '../relay/relay.ts';
import type { ParcelFile } from '../transport/parcel.ts';
import { fail } from '../wire/errors.ts';
import { allowedRoutes } from './routes.ts';
import { type CodeCost, inWords, type TransportBudget, transportBudget } from './transport-budget.ts';

/** Without another route, a message that has more bytes than this is not left to codes: too much hangs on one camera. */
export const MAX_QR_ONLY_BYTES = 40_000;
/** … nor anything that takes longer than this on a terminal of 120x40. */
export const MAX_QR_ONLY_MINUTES = 10;

/** One reason why a plan cannot be carried out on its routes. */
export interface RouteFault {
  readonly code: 'E_ROUTE';
  readonly field: 'routes';
  /** Begins with the field. */
  readonly text: string;
  readonly remedy: string;
}

/** Something about the routes that deserves a second look. */
export interface RouteWarning {
  readonly code: 'W_NO_OFFLINE' | 'W_LONG_CODES';
  readonly text: string;
}

const kilo = (bytes: number): string => (bytes < 10_000 ? `${String(bytes)} bytes` : `${String(Math.round(bytes / 1000))} kB`);

function shownAs(cost: CodeCost | null, screen: string): string {
  return cost ? `${String(cost.codes)} codes, ${inWords(cost.seconds)} ${screen}` : `more codes than a sequence can have ${screen}`;
}

/**
 * Why a plan cannot go by the routes that it allows: a message that nobody gets through a camera where codes are the only
 * way, files that no parcel holds, a witness who needs the folder. Empty where nothing speaks against it.
 */
export function routeFaults(plan: Plan, budget: TransportBudget): RouteFault[] {
  const routes = allowedRoutes(plan);
  if (routes.includes('folder')) return [];
  const faults: RouteFault[] = [];
  const fault = (text: string, more: readonly Route[], remedy = ''): void => void faults.push({ code: 'E_ROUTE', field: 'routes', text: `routes: ${text}`, remedy: `Let the plan allow another route as well, for example routes: [${[...new Set([...more, ...routes])].join(', ')}].${remedy}` });
  const witnesses = witnessesOf(plan);
  if (witnesses.length > 0) fault(`a witness (${witnesses.map((w) => w.name).join(', ')}) signs the whole record, which travels as a folder and not by ${routes.join(' or ')}`, ['folder']);
  const [opening] = budget.qr.shows;
  if (opening && opening.bytes > MAX_PAYLOAD_BYTES) {
    fault(`what the ceremony begins with has ${kilo(opening.bytes)}, and no more than ${kilo(MAX_PAYLOAD_BYTES)} travel by ${routes.join(' or ')}`, ['folder']);
    return faults;
  }
  if (routes.includes('relay')) return faults;
  const sizes = [
    ...(opening ? [{ what: 'what the ceremony begins with (plan, intent, message, certificate)', bytes: opening.bytes, codes: opening.codes }] : []),
    ...budget.messages.filter((m) => m.optional !== true).map(({ message, bytes, codes }) => ({ what: `the message ${message}`, bytes, codes })),
  ];
  for (const { what, bytes, codes } of sizes)
    if (bytes > MAX_QR_ONLY_BYTES || !quick(codes['120x40']))
      fault(
        `${what} has ${kilo(bytes)}: ${shownAs(codes['120x40'], 'on a terminal of 120x40')}, each time that somebody scans it; QR codes as the only route carry ${kilo(MAX_QR_ONLY_BYTES)} and ${String(MAX_QR_ONLY_MINUTES)} min at most`,
        ['folder'],
        codes.v27 ? ` It may still be shown then as larger codes, in a GIF or page (qr show --gif or --page): ${shownAs(codes.v27, 'at version 27')}.` : '',
      );
  for (const { what, bytes, codes } of faults.length > 0 ? [] : budget.qr.shows)
    if (!quick(codes['120x40'])) fault(`${what} has ${kilo(bytes)}, which ${budget.qr.hub} shows to everybody: ${shownAs(codes['120x40'], 'on a terminal of 120x40')}`, ['folder']);
  return faults;
}

const quick = (cost: CodeCost | null): boolean => cost !== null && cost.seconds <= 60 * MAX_QR_ONLY_MINUTES;

/** What to think twice about: a plan whose every route needs a network, and codes that take long on a small terminal. */
export function routeWarnings(plan: Plan, budget: TransportBudget): RouteWarning[] {
  const routes = allowedRoutes(plan);
  const offline = routes.some((r) => r !== 'relay');
  const long = plan.routes?.includes('qr') === true ? [...budget.qr.shows].sort((a, b) => b.bytes - a.bytes)[0] : undefined;
  const slow = long && (long.codes['80x24'] === null || long.codes['80x24'].seconds > 120);
  return [
    ...(offline ? [] : [{ code: 'W_NO_OFFLINE' as const, text: 'The plan lets messages travel by relay alone: without a network, or when the relay is down, nobody can go on, and no machine without a network can take part. Allow a path that needs none as well: routes: [folder, relay] or [qr, relay].' }]),
    ...(slow ? [{ code: 'W_LONG_CODES' as const, text: `By QR codes, "${long.what}" has ${kilo(long.bytes)}: ${shownAs(long.codes['80x24'], 'on a terminal of 80x24')}, ${shownAs(long.codes['120x40'], 'on one of 120x40')}, ${shownAs(long.codes.v27, 'as a GIF or page of version 27')}. Make the terminal larger, or carry it by another route.` }] : []),
  ];
}

/**
 * Whether a plan can go by its routes; a warning is told.
 * @param opening as for {@link transportBudget}
 * @throws E_ROUTE the first of {@link routeFaults}, the others in its details
 */
export function requireCarriable(plan: Plan, opening: readonly ParcelFile[], say: (text: string) => void): void {
  const budget = transportBudget(plan, opening);
  const faults = routeFaults(plan, budget);
  const [first] = faults;
  if (first) fail('E_ROUTE', first.text, { field: first.field, remedy: first.remedy, details: faults.slice(1).map((f) => f.text) });
  for (const { code, text } of routeWarnings(plan, budget)) say(`! ${code}  ${text}`);
}

/** What somebody who joins is told of the routes. It refuses nothing: whether to go on with such a plan is for people to say. */
export function tellRoutes(plan: Plan, opening: readonly ParcelFile[], say: (text: string) => void): void {
  const budget = transportBudget(plan, opening);
  for (const { code, text } of [...routeFaults(plan, budget), ...routeWarnings(plan, budget)]) say(`! ${code}  ${text}`);
}
