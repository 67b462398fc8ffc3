/**
 * By which routes the messages of a ceremony may travel: the plan says, and whoever moves messages asks. A plan that says
 * nothing allows all.
 *
 * A route fills and empties the ceremony folder, and a step only reads the folder. So what is asked here is whether this
 * program may *move* something by a route: showing and scanning codes, putting parts into a relay and taking them out, and
 * `--via folder:DIR`. A plain `next FOLDER` is never refused, also where the plan does not list `folder`: it advances from
 * whatever the allowed routes have brought, and what somebody copies by hand no program can prevent. It needs no such
 * protection either: what is in a folder is believed no more than what is in a code.
 */
import { type Plan, type Route, ROUTES } from '../plan/plan.ts';
import { fail } from '../wire/errors.ts';

/** Names of the routes for people. */
export const ROUTE_NAMES: Readonly<Record<Route, string>> = { folder: 'folder', qr: 'QR codes', relay: 'relay' };

/** Routes that a plan allows, in the order of {@link ROUTES}. */
export function allowedRoutes({ routes }: Pick<Plan, 'routes'>): readonly Route[] {
  return ROUTES.filter((r) => routes?.includes(r) ?? true);
}

/** Whether the plan lets messages travel by nothing but codes. */
export function onlyQr(plan: Pick<Plan, 'routes'>): boolean {
  return allowedRoutes(plan).join() === 'qr';
}

/** @throws E_ROUTE (field `routes`) when the plan does not let messages travel by this route */
export function requireRoute(plan: Pick<Plan, 'routes'>, route: Route): void {
  const allowed = allowedRoutes(plan);
  if (allowed.includes(route)) return;
  fail('E_ROUTE', `the plan does not let messages travel by ${ROUTE_NAMES[route]}: routes: [${allowed.join(', ')}]`, {
    field: 'routes',
    remedy: `Use ${allowed.map((r) => `--via ${{ folder: 'folder:DIR', qr: 'qr', relay: 'relay:URL' }[r]}`).join(' or ')}, or ask the lead for a plan with this route. Nothing was moved.`,
  });
}

/**
 * Routes as the lead names them after `--routes`, in the order of {@link ROUTES}.
 * @throws E_USAGE for another word, for one that stands there twice, for none
 */
export function parseRoutes(words: readonly string[]): Route[] {
  for (const [i, word] of words.entries()) {
    if (!(ROUTES as readonly string[]).includes(word)) fail('E_USAGE', `there is no route ${JSON.stringify(word)}`, { field: 'routes', remedy: `Routes: ${ROUTES.join(', ')}; several with commas between.` });
    if (words.indexOf(word) < i) fail('E_USAGE', `the route ${word} stands there twice`, { field: 'routes' });
  }
  return ROUTES.filter((r) => words.includes(r));
}
