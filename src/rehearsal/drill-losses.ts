/** Drills of loss: a laptop, more laptops than the quorum bears, a stick, and a backup of yesterday. */
import { command, GOES_ON, happens, joins, newHome, refreshBegins, replacement, sameKey, signBegins, signing, untilDone } from './drill-scenes.ts';
import { ANYBODY } from './stage.ts';
import { type DrillCast, LEADER, FINDER, type Scenario } from './drill-script.ts';
import { inWords } from './story.ts';

/** A holder's laptop is gone: work goes on, somebody new takes the seat, and the old laptop is worth nothing when it turns up. */
export function nodeLoss(cast: DrillCast): Scenario {
  const { key, holders, lead, victim, newcomer } = cast;
  const rest = holders.filter((n) => n !== victim);
  const after = [...rest, newcomer];
  const waited = cast.signers(holders, victim);
  const first = waited.find((n) => n !== victim) ?? lead;
  const stray = cast.signers(holders, victim);
  const asked = stray.find((n) => n !== victim) ?? lead;
  return {
    name: 'node-loss',
    title: 'a laptop is lost and replaced',
    shows: 'a laptop is lost: the others sign, a new member takes its place, the old laptop is refused',
    goal: `The others sign at once; ${newcomer} holds a share of the same key; the old laptop of ${victim} is refused.`,
    joining: [newcomer],
    faults: [
      { id: 'laptop-lost', what: `the laptop of ${victim} is gone; nobody says so` },
      { id: 'old-laptop', what: `the laptop of ${victim} turns up after its replacement, and asks for a signature` },
    ],
    steps: [
      happens(LEADER, `takes the laptop of ${victim} away, and locks it up for later`, [{ deed: 'copy-home', of: victim, as: FINDER }, { deed: 'lose-home', of: victim }], 'laptop-lost'),
      ...signBegins(cast, 'sign-1', first, [first, ...waited.filter((n) => n !== first)], 'begins a signing with everybody whom it expects to be there'),
      command(first, `the stick comes back without ${victim}`, ['next', { folder: 'sign-1' }], { exit: [10], next: ['BRING_IN'], names: victim }, { notices: 'laptop-lost' }),
      ...signing(cast, 'sign-2', cast.signers(rest, lead), 'begins again, with those who are there'),
      ...newHome(newcomer),
      ...replacement(cast, 'replace', victim, after),
      sameKey(cast, after, 2),
      ...signing(cast, 'sign-3', cast.signers(after, newcomer), `begins a signing in which ${newcomer} takes part`),
      happens(LEADER, `gives the old laptop of ${victim} to a finder, with its passphrase`, [], 'old-laptop'),
      ...signBegins(cast, 'stray', FINDER, stray, 'begins a signing with the share of before'),
      happens('courier', `brings its folder to ${asked}`, [{ deed: 'hand', ceremony: 'stray', from: FINDER, to: asked }]),
      command(asked, 'is asked to take part', ['join', { folder: 'stray' }], { exit: [24], code: 'E_EPOCH', says: 'epoch 1' }, { notices: 'old-laptop' }),
      { who: [LEADER], does: 'looks for a signature in every copy', act: { kind: 'unsigned', ceremony: 'stray', copies: [FINDER, asked] } },
      command(asked, `asks what is left of the epoch before: ${victim} has not said that its share is destroyed`, ['key', 'close', key], { exit: [22], code: 'E_RETIRE_OPEN' }),
    ],
  };
}

/** More laptops are lost than the quorum bears; the shares come back from backups, each on a machine of its own. */
export function beyondT(cast: DrillCast): Scenario {
  const { key, holders, lead, quorum } = cast;
  const dealing = cast.signers(holders, lead);
  const lost = [...dealing];
  for (const name of holders) if (!lost.includes(name) && cast.suffices(holders.filter((n) => !lost.includes(n)))) lost.push(name);
  const everyLost = holders.filter((n) => lost.includes(n));
  const left = holders.filter((n) => !lost.includes(n));
  const keeper = left[0] ?? lead;
  const restored = new Map(everyLost.map((n) => [n, `${n}-2`]));
  const dealers = dealing.map((n) => [n, `${n}-2`] as const);
  const rename = (name: string): string => restored.get(name) ?? name;
  const after = quorum.replace(/[a-z][a-z0-9-]*(?![a-z0-9-]*\()/g, (word) => (holders.includes(word) ? rename(word) : word));
  const [first, second] = dealers as unknown as [readonly [string, string], readonly [string, string]];
  const people = [first[1], ...holders.map(rename).filter((n) => n !== first[1])];
  const backup = (name: string): { readonly safe: string } => ({ safe: `${name}/${name}-${key}-epoch-1.backup` });
  return {
    name: 'beyond-t',
    title: 'more laptops are lost than the quorum bears',
    shows: 'too many laptops are lost: each share is restored on a machine of its own, a reshare follows, the key signs',
    goal: 'No machine ever holds two shares; nothing signs before the reshare; the key afterwards is the same.',
    joining: [...restored.values()],
    faults: [
      { id: 'too-many-lost', what: `the laptops of ${inWords(everyLost)} are gone at once` },
      { id: 'hasty-signing', what: `${first[1]} tries to sign with a restored share` },
      { id: 'two-shares', what: `somebody restores a second share onto the machine of ${first[1]}` },
    ],
    steps: [
      happens(LEADER, `everybody makes a backup key (age-keygen) and keeps it in a safe of their own`, everyLost.map((of) => ({ deed: 'backup-key', of }) as const)),
      ...everyLost.map((name) => command(name, 'makes a backup; it goes to its safe', ['backup', 'export', '--key', key, '--to', { recipient: name }, '--site', `safe of ${name}`, '--out', { safe: name }])),
      command(ANYBODY, 'verifies the backups without opening them', ['backup', 'verify', ...everyLost.map(backup)]),
      happens(LEADER, `takes the laptops of ${inWords(everyLost)} away`, everyLost.map((of) => ({ deed: 'lose-home', of }) as const), 'too-many-lost'),
      command(keeper, 'says what is to be signed', ['intent', 'create', '--key', key, '--action', 'message', '--file', { common: 'message.txt' }, ...(cast.ecdsa ? ['--hash', 'sha256'] : []), '--out', { own: 'alone.json' }]),
      command(keeper, 'tries to sign with those who are left', ['sign', '--intent', { own: 'alone.json' }, '--signers', left.join(','), '--out', { folder: 'alone' }], { exit: [20], code: 'E_QUORUM' }, { begins: 'alone', notices: 'too-many-lost' }),
      ...[...restored].flatMap(([old, now]) => [
        ...newHome(now),
        command(now, `fetches the backup and the key of ${old} from its safe, and restores the share`, ['recover', '--backup', backup(old), '--identity', { safe: `${old}.identity` }, '--unattended']),
      ]),
      happens(LEADER, `asks ${first[1]} to sign at once, since it is urgent`, [], 'hasty-signing'),
      command(first[1], 'says what is to be signed', ['intent', 'create', '--key', key, '--action', 'message', '--file', { common: 'message.txt' }, ...(cast.ecdsa ? ['--hash', 'sha256'] : []), '--out', { own: 'hasty.json' }]),
      command(first[1], 'tries to sign', ['sign', '--intent', { own: 'hasty.json' }, '--signers', dealers.map(([old]) => old).join(','), '--out', { folder: 'hasty' }], { exit: [24], code: 'E_RESTORED' }, { begins: 'hasty', notices: 'hasty-signing' }),
      happens(LEADER, `hands the backup and the key of ${second[0]} to ${first[1]}, to save a machine`, [], 'two-shares'),
      command(first[1], 'tries to restore a second share', ['recover', '--backup', backup(second[0]), '--identity', { safe: `${second[0]}.identity` }], { exit: [20], code: 'E_TWO_SHARES' }, { notices: 'two-shares' }),
      command(first[1], 'begins the reshare that must follow', ['reshare', '--key', key, '--quorum', after, '--dealers', dealers.map(([old, now]) => `${old}=${now}`).join(','), '--cards', { cards: true }, '--out', { folder: 'return' }], GOES_ON, { begins: 'return' }),
      joins(people, people.filter((n) => n !== first[1]), 'return'),
      untilDone(people, 'return'),
      sameKey(cast, people, 2),
      ...signing({ ...cast, replaced: Object.fromEntries(restored) }, 'sign-1', dealers.map(([, now]) => now)),
    ],
  };
}

/** A stick vanishes in the middle of a refresh. */
export function lostStick(cast: DrillCast): Scenario {
  const { holders, lead, victim } = cast;
  return {
    name: 'lost-stick',
    title: 'a stick is lost between two rounds',
    shows: 'a stick is lost between two rounds: nothing secret was on it, everything goes on with a new one',
    goal: 'Nobody begins again; no message is made twice; the lost stick tells its finder nothing.',
    joining: [],
    faults: [{ id: 'stick-lost', what: `the stick is lost on its way to ${victim}, with everything on it` }],
    steps: [
      ...refreshBegins(cast, 'refresh', holders),
      happens(LEADER, 'takes the stick away, and keeps it', holders.map((of) => ({ deed: 'lose-folder', of, ceremony: 'refresh' }) as const), 'stick-lost'),
      command(victim, 'has no folder to go on with', ['next', { folder: 'refresh' }], { exit: [74], code: 'E_IO' }, { notices: 'stick-lost' }),
      { who: [LEADER], does: 'looks through the lost stick for anything secret', act: { kind: 'scan', of: 'refresh' } },
      happens('courier', `puts a new stick, with an empty folder, into the laptop of ${lead}`, [{ deed: 'new-folder', of: lead, ceremony: 'refresh' }]),
      command(lead, 'writes its part again', ['next', { folder: 'refresh' }], GOES_ON),
      happens('courier', 'takes the new stick round', holders.filter((n) => n !== lead).map((to) => ({ deed: 'hand', ceremony: 'refresh', from: lead, to }) as const)),
      untilDone(holders, 'refresh'),
      sameKey(cast, holders, 2),
    ],
  };
}

/** A backup of an epoch that has passed. */
export function staleBackup(cast: DrillCast): Scenario {
  const { key, holders, lead, victim } = cast;
  const restored = `${victim}-2`;
  const backup = { safe: `${victim}/${victim}-${key}-epoch-1.backup` } as const;
  return {
    name: 'stale-backup',
    title: 'a backup of yesterday',
    shows: 'a backup of an epoch that has passed: verify says so, recover refuses it, it never signs',
    goal: `The backup of ${victim} is known for what it is before anybody counts on it.`,
    joining: [restored],
    faults: [
      { id: 'stale-in-safe', what: 'after a refresh, nobody has made new backups' },
      { id: 'stale-restored', what: `somebody restores the old backup of ${victim}` },
    ],
    steps: [
      happens(LEADER, `${victim} makes a backup key (age-keygen) and keeps it in a safe`, [{ deed: 'backup-key', of: victim }]),
      command(victim, 'makes a backup; it goes to the safe', ['backup', 'export', '--key', key, '--to', { recipient: victim }, '--site', `safe of ${victim}`, '--out', { safe: victim }]),
      command(victim, 'verifies it: it is of the active epoch', ['backup', 'verify', backup], { exit: [0], has: { verdict: 'ok', retired: false } }),
      ...refreshBegins(cast, 'refresh', holders),
      untilDone(holders, 'refresh'),
      happens(LEADER, 'leaves the old backup in the safe', [], 'stale-in-safe'),
      command(victim, 'tests the backup, as every half year', ['backup', 'verify', backup], { exit: [0], has: { retired: true } }, { notices: 'stale-in-safe' }),
      command(lead, 'verifies it against the certificate of the new epoch', ['backup', 'verify', backup, '--certificate', { folder: 'refresh/transcript/certificate.json' }], { exit: [21] }),
      ...newHome(restored),
      happens(LEADER, `gives the backup and its key to ${restored}`, [], 'stale-restored'),
      command(restored, 'tries to restore it', ['recover', '--backup', backup, '--identity', { safe: `${victim}.identity` }, '--certificate', { common: `${lead}/refresh/transcript/certificate.json` }], { exit: [24], code: 'E_EPOCH' }, { notices: 'stale-restored' }),
      command(restored, 'has no share, and no key', ['key', 'show', key], { exit: [20], code: 'E_UNKNOWN_KEY' }, {}),
      ...signing(cast, 'sign-1', cast.signers(holders, victim), 'shows that the key is well without it'),
    ],
  };
}

