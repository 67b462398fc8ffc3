/**
 * Strict YAML for the files that people write: one document of plain maps, lists, text, whole numbers and booleans.
 * No anchors, aliases, tags or directives, no repeated keys, bounded size and depth. The depth is checked on the tokens,
 * before anything recursive sees the text: a few kilobytes of brackets otherwise end the process.
 */
import { CeremonyError, type ErrorCode } from './errors.ts';

// each column can nest at most two block collections, each bracket one flow collection
const MAX_COLUMN = 64;
const MAX_FLOW = 8;

const FOREIGN: Readonly<Record<string, string>> = {
  anchor: 'anchors are not accepted; write the value out',
  alias: 'aliases are not accepted; write the value out',
  tag: 'tags are not accepted',
  'directive-line': 'directives are not accepted',
};
const INDICATORS = new Set(['seq-item-ind', 'explicit-key-ind', 'map-value-ind']);

/**
 * The value of a YAML file, still to be checked against a schema. Keys are plain words.
 * @param maxBytes refuse larger input before reading it
 * @param code error code of a refusal
 * @throws E_TOO_LARGE, or the code with the line and column
 */
export async function parseYaml(bytes: Uint8Array, maxBytes: number, code: ErrorCode = 'E_PLAN_FIELD'): Promise<unknown> {
  if (bytes.length > maxBytes)
    throw new CeremonyError('E_TOO_LARGE', `${String(bytes.length)} bytes; at most ${String(maxBytes)} are accepted`);
  const { CST, Lexer, LineCounter, isScalar, parseDocument, visit } = await import('yaml');
  const refuse = (text: string): never => {
    throw new CeremonyError(code, text, { field: text.slice(0, text.indexOf(':')) });
  };
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    refuse('line 1: the file is not UTF-8 text');
  }

  let line = 1;
  let column = 1;
  let flow = 0;
  let quoted = false;
  for (const token of new Lexer().lex(text)) {
    // the token after the scalar mark is the text of the scalar, whatever it looks like
    const type: string = quoted ? 'text' : (CST.tokenType(token) ?? 'text');
    quoted = type === 'scalar';
    if (type === 'scalar' || type === 'doc-mode' || type === 'flow-error-end') continue;
    const where = `line ${String(line)}, column ${String(column)}`;
    const foreign = FOREIGN[type];
    if (foreign !== undefined) refuse(`${where}: ${foreign}`);
    if (type === 'flow-seq-start' || type === 'flow-map-start') flow++;
    if (type === 'flow-seq-end' || type === 'flow-map-end') flow = Math.max(0, flow - 1);
    if (flow > MAX_FLOW || (flow === 0 && INDICATORS.has(type) && column > MAX_COLUMN))
      refuse(`${where}: nested too deeply`);
    const rows = token.split('\n');
    line += rows.length - 1;
    column = (rows.length > 1 ? 1 : column) + (rows[rows.length - 1] as string).length;
  }

  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    stringKeys: true,
    uniqueKeys: true,
    prettyErrors: false,
    lineCounter: lines,
  });
  const at = (offset: number): string => {
    const { line: row, col } = lines.linePos(offset);
    return `line ${String(row)}, column ${String(col)}`;
  };
  for (const problem of [...document.errors, ...document.warnings]) {
    if (problem.code === 'DUPLICATE_KEY') refuse(`${at(problem.pos[0])}: this field stands here twice`);
    if (problem.code === 'MULTIPLE_DOCS') refuse(`${at(problem.pos[0])}: a second document begins`);
    refuse(`${at(problem.pos[0])}: ${problem.message}`);
  }
  visit(document, {
    Pair(_, { key }) {
      // names such as __proto__ have a meaning of their own to the program
      if (isScalar(key) && !/^[A-Za-z][A-Za-z0-9-]*$/.test(String(key.value)))
        refuse(`${at(key.range?.[0] ?? 0)}: a field name is letters, digits and "-"`);
    },
  });
  return document.toJS({ maxAliasCount: 0 }) as unknown;
}
