#!/usr/bin/env node
// mpc-ceremony as one file: it needs Node 20.19 or newer and nothing beside it. Its name for people is its SHA-256:
// `sha256sum FILE` shows it, and `node FILE doctor` shows the same in hex and in words.
//
// Made by `npm run bundle` from a checkout, the same bytes every time. Comments and white space are taken out and names
// are kept; one statement stands on one line. Each part of the program is the text of a comment inside a function of
// `parts`, and is compiled when it is first required. The parts are CommonJS and may require each other and what Node
// itself brings along, nothing else.
if (process.getBuiltinModule === undefined) {
  console.error(`mpc-ceremony needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(40);
}
const { filename, dirname, url } = import.meta;
const loaded = new Map();

function require(id) {
  if (id.startsWith('./')) return load(id.slice(2));
  const builtin = process.getBuiltinModule(id);
  if (builtin === undefined) throw Object.assign(new Error(`${id} is no part of this program`), { code: 'MODULE_NOT_FOUND' });
  return builtin;
}

function load(name) {
  const before = loaded.get(name);
  if (before !== undefined) return before.exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const [line, part] = parts[name];
  const text = part.toString();
  const code = text.slice(text.indexOf('\n') + 1, -3).replaceAll('*%/', '*/');
  // lines and columns in a stack trace are those of this file; eval, since node:vm takes longer to load than the rest
  const start = `${'\n'.repeat(line - 2)}(function (exports, require, module, __filename, __dirname) {\n`;
  (0, eval)(`${start}${code}})\n//# sourceURL=${url}`)(module.exports, require, module, filename, dirname);
  return module.exports;
}
