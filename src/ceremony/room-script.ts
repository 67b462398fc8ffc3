/**
 * The printed room script, SCRIPT.html: what people do, say, compare and sign with a pen while the program does its part.
 * One file without scripts or outside references; the same facts give the same bytes. Derived and never read back.
 */
import { ACTION_CODES, ACTIONS } from './actions.ts';
import { ROUTE_NAMES } from './routes.ts';
import { type Carrier, carrierOf, type ScriptFacts, type ScriptStep, scriptCommands, scriptSteps } from './script-steps.ts';
import { makesEpoch, scriptFolder } from './script-words.ts';

const STYLE = `
body { font: 11pt/1.4 Georgia, serif; color: #000; background: #fff; max-width: 50em; margin: 1em auto; padding: 0 1em }
h1 { font-size: 1.6em; margin: .4em 0 } h2 { font-size: 1.2em; margin: 1.4em 0 .4em }
table { border-collapse: collapse; width: 100% } th, td { border: 1px solid #000; padding: .3em .5em; text-align: left; vertical-align: top }
.facts th { width: 11em } .fixed { table-layout: fixed; font-size: 10pt; overflow-wrap: anywhere } .fixed b { font-size: 9pt } .write td { height: 3em }
code { display: block; margin-bottom: .3em; font: 9.5pt/1.4 monospace } code span { white-space: nowrap }
.mode { border: 2px solid #000; padding: .3em .6em; font-weight: bold; text-align: center }
.words { border: 1px solid #000 } .words td { border: 0; width: 25% }
ul.check { list-style: none; padding-left: 0 }
@page { size: A4; margin: 18mm 15mm }
@media print { body { max-width: none; margin: 0; padding: 0 1px } tr, .keep { break-inside: avoid } thead { display: table-header-group } .page { break-before: page } }
`.trim();

/** The script as a self-contained HTML page. */
export function roomScript(facts: ScriptFacts): string {
  const steps = scriptSteps(facts);
  const stops = scriptCommands(steps).length;
  const carrier = carrierOf(facts);
  const kind = { dkg: 'Key generation', refresh: 'Refresh', reshare: 'Reshare', import: 'Import of a key', sign: 'Signing', presign: 'Presigning' }[facts.kind];
  const title = `${kind}: ${facts.name}`;
  const body = [
    mode(facts),
    `<h1>${escape(title)}</h1>`,
    table([], [
      ['Scheme', facts.scheme],
      ['Quorum', facts.quorumText],
      [carrier === 'stick' ? 'Folder on the stick' : 'Folder on each laptop', scriptFolder(facts)],
      ...(facts.routes ? [['Messages travel by', facts.routes.map((r) => ROUTE_NAMES[r]).join(', ')]] : []),
      ['Plan made', `${facts.created} (UTC)`],
      ['Void after', `${facts.expires} (UTC)`],
      ['At the keyboard', facts.attended ? 'people compare and confirm' : 'unattended: nothing is compared by people'],
      ['Length', `${String(steps.length)} steps; ${carrier === 'stick' ? `the stick makes ${String(stops)} stops` : `${String(stops)} commands`}`],
    ]),
    ...(facts.changes ? section('What changes', list(facts.changes)) : []),
    ...section(facts.changes ? 'Who can sign afterwards' : 'Who can sign', list(facts.explanation)),
    ...section('The plan in sixteen words', words(facts.words), paragraph(
      'The same words stand on every screen. If one of them differs, stop: somebody has another plan.',
    )),
    ...section('Who is here', roster(facts)),
    ...section('Roles', list(rolesOf(facts))),
    ...section('Before the first step', checklist(materials(facts, carrier))),
    ...section('What the screen says', table([], ACTION_CODES.map((code) => [code, ACTIONS[code]]))),
    '<h2 class="page">Steps</h2>',
    paragraph(
      `${WHERE[carrier]} Type the commands exactly. When a screen shows another code than the paper, stop and fill in an exception. join and next may be repeated; that does no harm.`,
    ),
    stepTable(steps),
    ...(facts.attended && makesEpoch(facts) ? keyWords() : []),
    ...exceptions(facts),
    ...closing(facts),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escape(`Room script: ${title}`)}</title>
<style>
${STYLE}
</style>
</head>
<body>
${body.join('\n')}
</body>
</html>
`;
}

/** Text for an HTML element or a quoted attribute. */
function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (c) => entities[c] as string);
}

const paragraph = (text: string): string => `<p>${escape(text)}</p>`;
const list = (items: readonly string[]): string => `<ul>${items.map((t) => `<li>${escape(t)}</li>`).join('')}</ul>`;
const checklist = (items: readonly string[]): string =>
  `<ul class="check">${items.map((t) => `<li>&#9744; ${escape(t)}</li>`).join('')}</ul>`;
const section = (heading: string, ...parts: string[]): string[] => [`<h2>${escape(heading)}</h2>`, ...parts];

/** Rows of text; without heads of columns the first cell of each row is its head. */
function table(head: readonly string[], rows: readonly (readonly string[])[], style = ''): string {
  const named = head.length > 0;
  const thead = named ? `<thead><tr>${head.map((h) => `<th>${escape(h)}</th>`).join('')}</tr></thead>` : '';
  const cell = (text: string, i: number): string => (!named && i === 0 ? `<th>${escape(text)}</th>` : `<td>${escape(text)}</td>`);
  const body = rows.map((r) => `<tr>${r.map(cell).join('')}</tr>`).join('\n');
  return `<table class="${[named ? 'rows' : 'facts', style].join(' ').trim()}">${thead}<tbody>${body}</tbody></table>`;
}

function mode({ mode: how }: ScriptFacts): string {
  const text = how === 'production' ? 'PRODUCTION' : 'REHEARSAL: nothing made here may be used, and this paper is no evidence';
  return `<p class="mode">${text}</p>`;
}

function words(sixteen: readonly string[]): string {
  const cells = sixteen.map((word, i) => `<td>${String(i + 1)} <b>${escape(word)}</b></td>`);
  const rows: string[] = [];
  for (let i = 0; i < cells.length; i += 4) rows.push(`<tr>${cells.slice(i, i + 4).join('')}</tr>`);
  return `<table class="words keep"><tbody>${rows.join('\n')}</tbody></table>`;
}

function roster({ participants, witnesses, lead }: ScriptFacts): string {
  const part = (p: ScriptFacts['participants'][number]): string =>
    [`${p.part ?? 'participant'}${p.name === lead ? (p.part === undefined ? ' and lead' : ', lead') : ''}`, p.role].filter((t) => t !== undefined).join(', ');
  return table(
    ['Name', 'Part', 'Place', 'Laptop (serial number)', 'Initials'],
    [
      ...participants.map((p) => [p.name, part(p), p.place ?? '', '', '']),
      ...witnesses.map((w) => [w, 'witness', '', '', '']),
    ],
  );
}

function rolesOf({ lead, attended, witnesses }: ScriptFacts): string[] {
  return [
    `${lead} leads: reads each step aloud, and sees that the next one begins only when this one has its initials.`,
    'Each participant sits at the own laptop, types the commands of the own steps, and initials them with the time.',
    ...(attended ? ['Nobody types for somebody else, and nobody sees a passphrase of somebody else.'] : []),
    ...(witnesses.length > 0
      ? ['The witnesses hold no share. They compare what happens with this paper and sign the record on a laptop of their own.']
      : ['No witness is named in the plan.']),
  ];
}

const WHERE: Readonly<Record<Carrier, string>> = {
  stick: 'Go to the stick first: cd and the place where it appears.',
  codes: 'Everybody works in a folder of the own laptop. A command that is still open on the screen goes on by itself and is not typed again.',
  relay: 'Everybody works in a folder of the own laptop, and types the address of the relay in place of ADDRESS.',
};

/** What the messages travel on. */
const CARRIED: Readonly<Record<Carrier, readonly string[]>> = {
  stick: ['one empty stick, and a spare'],
  codes: ['a camera or a scanner at each laptop, tried beforehand with mpc-ceremony qr scan', 'screens that a camera can be held to; terminals of 120 columns and 40 rows, or larger'],
  relay: ['the address of the relay, tried from each laptop'],
};

function materials({ participants, witnesses, mode: how }: ScriptFacts, carrier: Carrier): string[] {
  return [
    `${String(participants.length + witnesses.length)} laptops, one for each person, with power supply${carrier === 'relay' ? '' : '; network cables out, radio off'}`,
    'mpc-ceremony doctor run on each laptop: the same digest of the program everywhere, and nothing found that the plan forbids',
    ...CARRIED[carrier],
    'this paper, one copy for each person; pens; a wall clock that everybody can see',
    ...(how === 'production' ? ['a safe place or sealed bag for each laptop'] : []),
  ];
}

function stepTable(steps: readonly ScriptStep[]): string {
  const columns = ['3em', '5.5em', '11em', '', '5em', '5em'].map((w) => (w === '' ? '<col>' : `<col style="width:${w}">`));
  const heads = ['No.', 'Who', 'Screen shows', 'Type, and see', 'Initials', 'Time'].map((h) => `<th>${h}</th>`);
  const rows = steps.map(({ n, who, code, command, text, screen }) => {
    const shown = screen ? `<b>${code}</b>` : `(paper) ${code}`;
    const cells = [String(n), escape(who), shown, `${command === undefined ? '' : typed(command)}${escape(text)}`, '', ''];
    return `<tr id="step-${String(n)}">${cells.map((c) => `<td>${c}</td>`).join('')}</tr>`;
  });
  return `<table class="fixed"><colgroup>${columns.join('')}</colgroup><thead><tr>${heads.join('')}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table>`;
}

/** A command; lines break only at its spaces, so that a break is never mistaken for part of a name. */
function typed(command: string): string {
  return `<code>${command.split(' ').map((w) => `<span>${escape(w)}</span>`).join(' ')}</code>`;
}

function keyWords(): string[] {
  const blank = [0, 4, 8, 12].map((from) => [1, 2, 3, 4].map((i) => String(from + i)));
  const rows = blank.map((row) => `<tr>${row.map((n) => `<td>${n}</td>`).join('')}</tr>`).join('\n');
  return [
    '<h2 class="page">Words of the key</h2>',
    paragraph(
      'Copy here what your own screen shows when you have finished, not what somebody else wrote. Then the lead reads one copy aloud and everybody follows on the own. If one word differs, the ceremony is not complete: fill in an exception.',
    ),
    `<table class="fixed write"><tbody>${rows}</tbody></table>`,
    table([], [['Copied by', '']], 'write'),
  ];
}

function exceptions(facts: ScriptFacts): string[] {
  const form = ['Step', 'What was expected', 'What happened', 'What was done about it', 'Initials and time'].map((t) => [t, '']);
  return [
    '<h2 class="page">Exceptions</h2>',
    mode(facts),
    paragraph(
      'A step that did not go as written is an exception, however small. Write it here and record it with mpc-ceremony note exception. An empty form is struck through at the end.',
    ),
    ...[1, 2, 3].map((n) => `<div class="keep"><p>Exception ${String(n)}</p>${table([], form, 'write')}</div>`),
  ];
}

function closing({ participants, witnesses, lead }: ScriptFacts): string[] {
  const people: [string, string][] = [
    ...participants.map((p): [string, string] => [p.name, p.name === lead ? 'lead' : 'participant']),
    ...witnesses.map((w): [string, string] => [w, 'witness']),
  ];
  return [
    '<h2 class="page">Closing</h2>',
    paragraph(
      'Sign after the last step and not before. Tick one box: whether what happened was what this paper says, exceptions included. Whoever does not agree says why; that is no less useful.',
    ),
    table(
      ['Name', 'Part', 'I agree', 'I do not agree, because', 'Signature, date, time, zone'],
      people.map(([name, part]) => [name, part, '☐', '☐', '']),
      'write',
    ),
  ];
}
