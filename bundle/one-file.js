// Plugin: the chunks of a build become one file that node runs by itself (loader.mjs explains its form).
//
// Node reads, decodes and scans the whole file before it runs the first line, and the program is started for every
// step: what counts is few bytes, and a comment is what is scanned fastest. The compressor is one in JavaScript, since
// what zlib makes differs from one Node and one processor to the next.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'fflate';

const LOADER = new URL('loader.mjs', import.meta.url);
/** First argument of a worker (src/ceremony/crew.ts). */
const WORKER = 'crew-worker';

/** Raw deflate as base64. */
export const packed = (bytes) => Buffer.from(deflateSync(bytes, { level: 9 })).toString('base64');

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

/**
 * @param fileName of the one file
 * @param entries the part that the main thread begins with, and the part that a worker begins with
 */
export function oneFile({ fileName, entries: [main, worker] }) {
  return {
    name: 'one-file',
    generateBundle(options, bundle) {
      const chunks = Object.values(bundle).sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
      // what every command needs first stays as it is: --version needs no more
      const plain = [main, ...bundle[main].imports].filter((name) => name in bundle);
      let text = `${readFileSync(LOADER, 'utf8')}\nconst plain = { ${plain.map((name) => `'${name}': true`).join(', ')} };\nconst parts = {\n`;
      for (const chunk of chunks) {
        if (chunk.type !== 'chunk') throw new Error(`${chunk.fileName} is no code: nothing may lie beside the one file`);
        const { fileName: name, code } = chunk;
        // CommonJS has no other way out of the file
        if (/(?<![.\w$])import\((?![`'"]node:)/.test(code)) throw new Error(`${name} imports something that is not in the file`);
        if (plain.includes(name) && code.includes('*/')) throw new Error(`${name} holds the end of a comment`);
        text += `'${name}': () => {/*\n${plain.includes(name) ? code.trimEnd() : packed(Buffer.from(code))}\n*/},\n`;
        delete bundle[name];
      }
      // node:worker_threads takes a while to load: most commands do without
      text += `};\nconst asWorker = process.argv[2] === '${WORKER}' && !process.getBuiltinModule('node:worker_threads').isMainThread;\n`;
      text += `load(asWorker ? '${worker}' : '${main}');\n\n`;
      text += `/*\nPackages whose code is in this file, with their licences.\n\n${ascii(notices(chunks.flatMap((c) => c.moduleIds))).replaceAll('*/', '* /')}\n*/\n`;
      // Node scans ASCII faster, and no editor or stick can spoil it
      if (/[^\x00-\x7f]/.test(text)) throw new Error('the one file must be ASCII');
      this.emitFile({ type: 'asset', fileName, source: text });
    },
  };
}
