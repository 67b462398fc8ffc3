/** Drills of attack and accident: a stolen home, a lying courier, a laptop that dies at the worst moment. */
import { command, GOES_ON, happens, newHome, joins, refreshBegins, replacement, sameKey, signBegins, untilDone } from './drill-scenes.ts';
import { COURIER, type DrillCast, LEADER, type Scenario, THIEF } from './drill-script.ts';

/** Somebody has a copy of a home. */
export function compromiseRefresh(cast: DrillCast): Scenario {
  const { holders, lead, victim, newcomer, key } = cast;
  const stray = cast.signers(holders, victim);
  const asked = stray.find((n) => n !== victim) ?? lead;
  const rest = holders.filter((n) => n !== victim);
  const after = [...rest, newcomer];
  const waits = rest.at(-1) === lead ? [] : rest.slice(1);
  return {
    name: 'compromise-refresh',
    title: 'a home was copied',
    shows: 'a home was copied: a refresh makes the copy worthless; with one party away, a reshare does',
    goal: `What was captured signs nothing after the refresh, and the key lives on without ${victim} where that is wanted.`,
    joining: [newcomer],
    faults: [
      { id: 'home-copied', what: `somebody copies the home of ${victim}, passphrase and all, and asks for a signature after the refresh` },
      { id: 'party-away', what: `a second refresh is wanted, and ${victim} does not come` },
    ],
    steps: [
      happens(THIEF, `copies the home of ${victim}`, [{ deed: 'copy-home', of: victim, as: THIEF }], 'home-copied'),
      ...refreshBegins(cast, 'refresh-1', holders),
      untilDone(holders, 'refresh-1'),
      sameKey(cast, holders, 2),
      command(THIEF, 'says what it wants signed', ['intent', 'create', '--key', key, '--action', 'message', '--file', { common: 'message.txt' }, ...(cast.ecdsa ? ['--hash', 'sha256'] : []), '--out', { own: 'stray-intent.json' }]),
      command(THIEF, 'tries to sign with what it has', ['sign', '--intent', { own: 'stray-intent.json' }, '--signers', victim, '--out', { folder: 'alone' }], { exit: [20], code: 'E_QUORUM' }, { begins: 'alone' }),
      command(THIEF, `poses as ${victim} and begins a signing`, ['sign', '--intent', { own: 'stray-intent.json' }, '--signers', stray.join(','), ...(cast.ecdsa ? ['--live'] : []), '--out', { folder: 'stray' }], GOES_ON, { begins: 'stray' }),
      happens(COURIER, `brings its folder to ${asked}`, [{ deed: 'hand', ceremony: 'stray', from: THIEF, to: asked }]),
      command(asked, 'is asked to take part', ['join', { folder: 'stray' }], { exit: [24], code: 'E_EPOCH', says: 'epoch 1' }, { notices: 'home-copied' }),
      { who: [LEADER], does: 'looks for a signature in every copy', act: { kind: 'unsigned', ceremony: 'stray', copies: [THIEF, asked] } },
      happens(LEADER, `sends ${victim} out of the room`, [], 'party-away'),
      ...refreshBegins(cast, 'refresh-2', [lead, ...waits]),
      command(lead, 'the stick has been with everybody who is there', ['next', { folder: 'refresh-2' }], { exit: [10], next: ['BRING_IN'], names: victim }, { carry: { ceremony: 'refresh-2', people: rest }, notices: 'party-away' }),
      command(lead, 'gives the refresh up, on the record', ['abort', { folder: 'refresh-2' }, '--reason', 'superseded'], { exit: [30], code: 'E_ABORTED' }),
      ...newHome(newcomer),
      ...replacement(cast, 'replace', victim, after),
      sameKey(cast, after, 4),
      ...signBegins(cast, 'sign-1', cast.signers(after, newcomer)[0] ?? lead, cast.signers(after, newcomer)),
      joins(cast.signers(after, newcomer), cast.signers(after, newcomer).slice(1), 'sign-1'),
      untilDone(cast.signers(after, newcomer), 'sign-1'),
    ],
  };
}

/** Whoever carries the files changes them. */
export function coordinator(cast: DrillCast): Scenario {
  const { holders, lead, key } = cast;
  const signers = cast.signers(holders, lead);
  const other = signers.find((n) => n !== lead) ?? lead;
  const third = holders.find((n) => !signers.includes(n) && cast.signers(holders, n).includes(lead)) ?? other;
  const last = cast.signers(holders, third);
  const shown = holders.filter((n) => n !== third);
  const withheld = [{ path: 'round-2/', reader: third }, { path: 'transcript/', reader: third }];
  return {
    name: 'coordinator',
    title: 'whoever carries the files changes them',
    shows: 'the courier changes payload, plan and messages and withholds a certificate: each is noticed, nothing is signed',
    goal: 'Every change is noticed by the one whom it was meant for. Nothing is signed that was not agreed.',
    joining: [],
    faults: [
      { id: 'payload', what: `another intent is put into the folder of ${other}` },
      { id: 'plan', what: `a date in the plan of ${other} is changed` },
      { id: 'blob', what: `a byte of the message of ${other} is changed on its way to ${lead}` },
      { id: 'message', what: `a message of ${other} from another ceremony is put in its place` },
      { id: 'certificate', what: `the last confirmation and the certificate of a refresh are withheld from ${third}` },
    ],
    steps: [
      ...signBegins(cast, 'sign-1', lead, signers),
      command(lead, 'makes another intent, which nobody is to sign', ['intent', 'create', '--key', key, '--action', 'message', '--file', { common: 'other.txt' }, ...(cast.ecdsa ? ['--hash', 'sha256'] : []), '--out', { own: 'other-intent.json' }]),
      happens(COURIER, `puts that intent into the folder of ${other}`, [{ deed: 'hand', ceremony: 'sign-1', from: lead, to: other }, { deed: 'exchange', at: other, ceremony: 'sign-1', path: 'intent.json', by: `${lead}/other-intent.json` }], 'payload'),
      command(other, 'is asked to take part', ['join', { folder: 'sign-1' }], { exit: [20], code: 'E_INTENT_HASH' }, { notices: 'payload' }),
      happens(COURIER, 'brings the right one', [{ deed: 'hand', ceremony: 'sign-1', from: lead, to: other }]),
      joins([lead, other], [other], 'sign-1'),
      happens(COURIER, `changes the date in the plan of ${other}`, [{ deed: 'edit', at: other, ceremony: 'sign-1', path: 'PLAN.yaml', line: 'expires: ', text: '2037-01-01T00:00:00Z' }], 'plan'),
      command(other, 'goes on', ['next', { folder: 'sign-1' }], { exit: [20], code: 'E_PLAN_CHANGED', file: 'PLAN.yaml' }, { notices: 'plan' }),
      happens(COURIER, `brings the plan again; changes a byte of the message of ${other} on its way to ${lead}`, [
        { deed: 'hand', ceremony: 'sign-1', from: lead, to: other, path: 'PLAN.yaml' },
        { deed: 'hand', ceremony: 'sign-1', from: other, to: lead },
        { deed: 'flip', at: lead, ceremony: 'sign-1', path: `round-1/${other}.blob` },
      ], 'blob'),
      command(lead, 'goes on', ['next', { folder: 'sign-1' }], { exit: [21], code: 'E_SIGNATURE', file: `round-1/${other}.blob` }, { notices: 'blob' }),
      happens(COURIER, `puts a message of ${other} from the key generation in its place`, [{ deed: 'exchange', at: lead, ceremony: 'sign-1', path: `round-1/${other}.blob`, by: `${other}/${key}-dkg-1/round-1/${other}.blob` }], 'message'),
      command(lead, 'goes on', ['next', { folder: 'sign-1' }], { exit: [21], code: 'E_FORMAT', file: `round-1/${other}.blob` }, { notices: 'message' }),
      command(lead, 'has seen enough and ends its part, on the record', ['abort', { folder: 'sign-1' }, '--reason', 'suspicion'], { exit: [30], code: 'E_ABORTED' }),
      command(other, 'goes on', ['next', { folder: 'sign-1' }], { exit: [30], code: 'E_ABORTED' }, { carry: { ceremony: 'sign-1', people: [lead, other] } }),
      { who: [LEADER], does: 'looks for a signature in every copy', act: { kind: 'unsigned', ceremony: 'sign-1', copies: [lead, other] } },
      ...refreshBegins(cast, 'refresh', holders),
      command(holders, 'confirms', ['next', { folder: 'refresh' }], GOES_ON, { carry: { ceremony: 'refresh', people: holders } }),
      happens(COURIER, `withholds the last confirmations from ${third}`, [], 'certificate'),
      command(shown, 'has all confirmations', ['next', { folder: 'refresh' }], { exit: [0], next: ['DONE'] }, { carry: { ceremony: 'refresh', people: holders, withheld } }),
      ...signBegins(cast, 'sign-2', lead, last, `begins a signing with ${third}`),
      command(third, 'is asked to take part', ['join', { folder: 'sign-2' }], { exit: [24], code: 'E_EPOCH', says: 'epoch 2' }, { carry: { ceremony: 'sign-2', people: last }, notices: 'certificate' }),
      command(third, `fetches the folder from ${lead}, past the courier, and is up to date`, ['next', { folder: 'refresh' }], { exit: [0], next: ['DONE'] }, { carry: { ceremony: 'refresh', people: holders } }),
      joins(last, last.filter((n) => n !== lead), 'sign-2'),
      untilDone(last, 'sign-2'),
      sameKey(cast, holders, 2),
    ],
  };
}

/** A laptop dies before it has confirmed; then one alone sees the certificate. */
export function halfRefresh(cast: DrillCast): Scenario {
  const { holders, lead, victim } = cast;
  const rest = holders.filter((n) => n !== victim);
  const early = cast.signers(rest, lead);
  const behind = early.find((n) => n !== lead) ?? lead;
  return {
    name: 'half-refresh',
    title: 'a refresh stops half-way',
    shows: 'a laptop dies before its confirmation, and one alone sees the certificate: the old epoch signs, then all heals',
    goal: 'There is a usable epoch at every moment, and one epoch in the end.',
    joining: [],
    faults: [
      { id: 'power-cut', what: `the laptop of ${victim} loses power while it confirms` },
      { id: 'one-sided', what: `the certificate comes to ${lead} alone` },
    ],
    steps: [
      ...refreshBegins(cast, 'refresh', holders),
      command(rest, 'confirms', ['next', { folder: 'refresh' }], GOES_ON, { carry: { ceremony: 'refresh', people: holders } }),
      happens(LEADER, `switches the laptop of ${victim} off while it works`, [], 'power-cut'),
      command(victim, 'loses power in the middle of the step', ['next', { folder: 'refresh' }], { exit: [] }, { power: 2 }),
      command(lead, `the stick comes back without the confirmation of ${victim}`, ['next', { folder: 'refresh' }], { exit: [10], next: ['BRING_IN'], names: victim }, { carry: { ceremony: 'refresh', people: rest }, notices: 'power-cut' }),
      ...signBegins(cast, 'sign-1', lead, early, 'begins a signing: the old epoch is in force'),
      joins(early, early.filter((n) => n !== lead), 'sign-1'),
      untilDone(early, 'sign-1'),
      command(victim, 'has power again, and runs the same command', ['next', { folder: 'refresh' }], { exit: [0], next: ['DONE'] }, { carry: { ceremony: 'refresh', people: holders } }),
      happens(COURIER, `takes the stick to ${lead} alone`, [{ deed: 'hand', ceremony: 'refresh', from: victim, to: lead }], 'one-sided'),
      command(lead, 'has all confirmations', ['next', { folder: 'refresh' }], { exit: [0], next: ['DONE'] }),
      ...signBegins(cast, 'sign-2', lead, early, 'begins a signing in the new epoch'),
      command(behind, 'is asked to take part', ['join', { folder: 'sign-2' }], { exit: [24], code: 'E_EPOCH', says: 'epoch 2' }, { carry: { ceremony: 'sign-2', people: early }, notices: 'one-sided' }),
      happens(COURIER, `brings the folder of ${lead} to the others`, rest.filter((n) => n !== lead).map((to) => ({ deed: 'hand', ceremony: 'refresh', from: lead, to }) as const)),
      untilDone(holders, 'refresh'),
      joins(early, early.filter((n) => n !== lead), 'sign-2'),
      untilDone(early, 'sign-2'),
      sameKey(cast, holders, 2),
    ],
  };
}
