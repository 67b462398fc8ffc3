// Plugin: the chunks of a build become one file that node runs by itself (loader.mjs explains its form).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { minifySync, parseSync, Visitor } from 'rolldown/utils';

const LOADER = new URL('loader.mjs', import.meta.url);
/** First argument of a worker (src/ceremony/crew.ts). */
const WORKER = 'crew-worker';
/** Ends a comment; in a part it is written the other way. */
const END = '*/';
const ESCAPED = '*%/';

/** Without white space, in ASCII, all names kept. */
function shortened(name, code) {
  const { code: short, errors } = minifySync(name, code, { compress: false, mangle: false, codegen: { removeWhitespace: true, asciiOnly: true } });
  if (errors.length > 0) throw new Error(`${name}: ${errors[0].message}`);
  return short;
}

/** A line for each statement and each member of a class: stack traces and differences stay readable. */
function inLines(name, code) {
  const starts = new Set();
  const all = (list) => list.forEach((node) => starts.add(node.start));
  new Visitor({
    Program: (node) => all(node.body),
    BlockStatement: (node) => all(node.body),
    StaticBlock: (node) => all(node.body),
    SwitchCase: (node) => all(node.consequent),
    ClassBody: (node) => all(node.body),
  }).visit(parseSync(name, code, { sourceType: 'script' }).program);
  const cuts = [...starts].filter((at) => at > 0).sort((a, b) => a - b);
  return [0, ...cuts].map((at, i) => code.slice(at, cuts[i] ?? code.length)).join('\n').trimEnd();
}

/** Path of a module that is the same in every checkout. */
function modulePath(id, root) {
  const at = id.lastIndexOf('node_modules/');
  return at >= 0 ? id.slice(at) : id.startsWith(`${root}/`) ? id.slice(root.length + 1) : undefined;
}

/** Folders of the packages that the modules come from. */
function packageFolders(ids) {
  return new Set(ids.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]).filter((dir) => dir !== undefined));
}

/** What the licences ask to be passed on: name, version and licence text of every package whose code is in the file. */
function notices(ids) {
  const byText = new Map();
  for (const dir of packageFolders(ids)) {
    const { name, version, license } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
    const files = readdirSync(dir).filter((f) => /^(?:licen[cs]e|notice|copying)/i.test(f)).sort();
    const text = files.map((f) => readFileSync(join(dir, f), 'utf8').replaceAll('\r', '').trim()).join('\n\n');
    // packages of one maker often have one licence text
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`].sort());
  }
  const noticed = [...byText].map(([text, titles]) => `${titles.join('\n')}\n\n${text}`.trim());
  return noticed.sort().join(`\n\n${'-'.repeat(40)}\n\n`);
}

const ascii = (text) => text.replace(/[^\n\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
const lines = (text) => text.split('\n').length - 1;

/**
 * @param fileName of the one file
 * @param entries the part that the main thread begins with, and the part that a worker begins with
 */
export function oneFile({ fileName, entries: [main, worker] }) {
  return {
    name: 'one-file',
    generateBundle(options, bundle) {
      const root = process.cwd();
      const chunks = Object.values(bundle).sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
      let text = `${readFileSync(LOADER, 'utf8')}\nconst parts = {\n`;
      for (const chunk of chunks) {
        if (chunk.type !== 'chunk') throw new Error(`${chunk.fileName} is no code: nothing may lie beside the one file`);
        const name = chunk.fileName;
        const code = inLines(name, shortened(name, chunk.code));
        if (code.includes(ESCAPED)) throw new Error(`${name} holds ${ESCAPED}`);
        if (/(?<![.\w$])import\((?![`'"]node:)/.test(code)) throw new Error(`${name} imports something that is not in the file`);
        const from = chunk.moduleIds.map((id) => modulePath(id, root)).filter((path) => path !== undefined);
        text += `// ${ascii(from.join(' '))}\n`;
        // the number of the line on which the code begins
        text += `'${name}': [${String(lines(text) + 2)}, () => {/*\n${code.replaceAll(END, ESCAPED)}\n*/}],\n`;
        delete bundle[name];
      }
      // node:worker_threads takes a while to load: most commands do without
      text += `};\nconst asWorker = process.argv[2] === '${WORKER}' && !process.getBuiltinModule('node:worker_threads').isMainThread;\n`;
      text += `load(asWorker ? '${worker}' : '${main}');\n\n`;
      text += `/*\nPackages whose code is in this file, with their licences.\n\n${ascii(notices(chunks.flatMap((c) => c.moduleIds))).replaceAll(END, '* /')}\n*/\n`;
      // Node scans ASCII faster, and no editor or stick can spoil it
      if (/[^\x00-\x7f]/.test(text)) throw new Error('the one file must be ASCII');
      this.emitFile({ type: 'asset', fileName, source: text });
    },
  };
}
