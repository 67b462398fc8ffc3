#!/usr/bin/env node
// mpc-ceremony as one file: it needs Node 20.19 or newer and nothing beside it. Its name for people is its SHA-256:
// `sha256sum FILE` shows it, and `node FILE doctor` shows the same in hex and in words.
//
// Made by `npm run bundle` from a checkout, the same bytes every time. Each part of the program is the text of a comment
// inside a function of `parts`, as code or compressed (raw deflate, base64), and is compiled when it is first required.
// `node bundle/unpack.mjs FILE DIR` writes all of them as code to be read. The parts are CommonJS and may require each
// other and what Node itself brings along, nothing else.
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

function codeOf(name) {
  const text = parts[name].toString().slice(10, -4);
  return name in plain ? text : require('node:zlib').inflateRawSync(Buffer.from(text, 'base64')).toString();
}

function load(name) {
  const before = loaded.get(name);
  if (before !== undefined) return before.exports;
  const module = { exports: {} };
  loaded.set(name, module);
  // eval, since node:vm takes longer to load than all the rest; lines in a stack trace are those of the part
  const compiled = (0, eval)(`(function (exports, require, module, __filename, __dirname) {${codeOf(name)}\n})\n//# sourceURL=${url}/${name}`);
  compiled(module.exports, require, module, filename, dirname);
  return module.exports;
}
