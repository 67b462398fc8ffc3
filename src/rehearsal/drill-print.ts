/** The script of a drill for the room, as Markdown: printed from the same data that is played headless. */
import { type DrillStep, LEADER, type Scenario, type Word } from './drill-script.ts';
import { seenOf, shown } from './drill-words.ts';
import { inWords } from './story.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

function row(no: number, step: DrillStep): string {
  const typed = shown(step);
  const injected = step.act.kind === 'deeds' ? (step.act.injects ?? []) : [];
  const does = `${injected.map((id) => `**Fault \`${id}\`.** `).join('')}${step.does}`;
  const seen = [seenOf(step), ...(step.notices === undefined ? [] : [`**notices \`${step.notices}\`**`])].filter((s) => s !== '').join('; ');
  return `| ${String(no)} | ${step.who.join(', ')} | ${cell(does)} | ${typed === undefined ? '' : `\`${cell(typed)}\``} | ${cell(seen)} | |`;
}

/** Whether a word of a command names something of a kind. */
const has = ({ steps }: Scenario, kind: 'safe' | 'cards'): boolean => steps.some(({ act }) => act.kind === 'command' && act.words.some((w: Word) => typeof w !== 'string' && kind in w));

/** Files that everybody needs, by the commands. */
function common({ steps }: Scenario): string[] {
  const names = steps.flatMap(({ act }) => (act.kind === 'command' ? act.words.flatMap((w: Word) => (typeof w !== 'string' && 'common' in w && !w.common.includes('/') ? [w.common] : [])) : []));
  return [...new Set(names)];
}

/**
 * The script, at most 60 lines.
 * @param people who hold the shares
 */
export function printDrill(scenario: Scenario, key: string, quorum: string): string {
  const { name, title, goal, joining, faults, steps } = scenario;
  const files = common(scenario);
  const copies = steps.some((s) => shown(s)?.endsWith('--home COPY') === true);
  const places = [...(files.length === 0 ? [] : [`${inWords(files.map((f) => `\`${f}\``))} ${files.length === 1 ? 'holds' : 'hold'} a harmless sentence`]), ...(copies ? ['COPY is the copy of a home, used with the passphrase of its owner'] : []), ...(has(scenario, 'cards') ? ['CARDS is the folder with all cards'] : []), ...(has(scenario, 'safe') ? ['SAFE is the place where backups and backup keys are kept, each in a bag of its own'] : [])];
  return `${[
    `# Drill: ${title}`,
    '',
    `${goal} Copy of the ${LEADER}; the others see only what they are told. \`mpc-ceremony drill run ${name} --out DIR\` plays the same steps without people.`,
    '',
    `Before: everybody has a laptop with a home made by \`mpc-ceremony init --name NAME --rehearsal\`, and the key \`${key}\` of \`${quorum}\` is made (\`ceremonies/dkg.md\`).`,
    `Laptops are taken away, copied and switched off here: **never with a home for production**.${joining.length === 0 ? '' : ` Laptops without a home are ready for ${inWords(joining)}.`}${places.length === 0 ? '' : ` ${places.join('; ')}.`}`,
    'Roles: the leader brings the faults, keeps the time, helps nobody; the courier carries the one stick, after every step, to whoever acts next; participants sit at the own laptop.',
    '',
    '| No. | Who | Does | Types | Must be seen | Time |',
    '| --- | --- | --- | --- | --- | --- |',
    ...steps.map((s, i) => row(i + 1, s)),
    '',
    `A failure: a fault that nobody notices (${faults.map((f) => `\`${f.id}\``).join(', ')}); a signature that was not agreed; a step that cannot be ended; anybody who types for somebody else, or goes on after a refusal without reading it.`,
    'An exception: a fault that somebody else notices, or by another code; a step that was done twice, or only with help.',
    '',
    'Note for every step its time; for every fault who noticed it, and the code on the screen; every exception in one sentence. Then, on the laptop whose home signs the record:',
    '',
    '```',
    `mpc-ceremony drill record ${name} --key ${key} --result pass \\`,
    "    --place 'TOWN, ROOM' --people NAMES --began TIME \\",
    ...faults.map((f, i) => `    --noticed ${f.id}=WHO:E_CODE${i < faults.length ? ' \\' : ''}`),
    '    --out DIR',
    '```',
    '',
    'Afterwards the homes of this drill are destroyed. Where the drill failed, it is repeated before the key is used for anything that cannot wait.',
  ].join('\n')}\n`;
}
