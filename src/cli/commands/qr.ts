/** `qr show`, `qr scan`, `qr page`: codes by themselves. */
import { basename, join } from 'node:path';
import { Breath } from '../../qr/breath.ts';
import { codesInCamera, codesInFile } from '../../qr/read-file.ts';
import { defaultCamera } from '../../qr/read-video.ts';
import { codesInText } from '../../qr/typed.ts';
import { parseParcel } from '../../transport/parcel.ts';
import { toHex, utf8 } from '../../wire/bytes.ts';
import { CeremonyError, EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import { sha256 } from '../../wire/hash.ts';
import { choose } from '../choose.ts';
import { type Context, realPath } from '../context.ts';
import { drawFiles, fileName, FORMATS, type Format, writeNew, writeScanPage } from '../qr-files.ts';
import { intake } from '../qr-intake.ts';
import { ceremonyLoad, fileLoad, folderLoad, type Load, SLOW_BYTES } from '../qr-load.ts';
import { Receiver, Scan, ScanMemory } from '../qr-scan.ts';
import { duration, MAX_FPS, USUAL_FPS } from '../qr-sequence.ts';
import { showCodes } from '../qr-show.ts';
import { filesAt, isFolder, wholeMessage } from '../qr-sources.ts';
import { unpackMessage } from '../qr-unpack.ts';
import { attended, memoryFile } from '../via-qr.ts';
import { wrap } from '../output.ts';

type ShowFlags = Partial<Record<Format, string>> & { readonly density?: number; readonly fps?: number };

/** A whole number within bounds. @throws E_USAGE */
function within(value: number | undefined, field: string, least: number, most: number): number | undefined {
  if (value !== undefined && (value < least || value > most)) fail('E_USAGE', `--${field} is ${String(least)} to ${String(most)}, not ${String(value)}`, { field });
  return value;
}

async function loadOf(ctx: Context, path: string): Promise<Load | undefined> {
  if (!isFolder(path)) return fileLoad(ctx.disk, path, ctx.homeRoot);
  let chosen;
  try {
    chosen = await choose(ctx, await ctx.home('read'), path);
  } catch (e) {
    // a courier, or a lead without a seat
    if (e instanceof CeremonyError && ['E_NO_HOME', 'E_NOT_JOINED', 'E_NOT_PARTICIPANT'].includes(e.code)) return folderLoad(ctx.disk, path);
    throw e;
  }
  return ceremonyLoad(chosen.store);
}

export async function qrShow(ctx: Context, argument: string, options: ShowFlags): Promise<ExitCode> {
  const density = within(options.density, 'density', 1, 40);
  const fps = within(options.fps, 'fps', 1, MAX_FPS) ?? USUAL_FPS;
  const path = realPath(argument);
  const load = await loadOf(ctx, path);
  const schema = 'mpc-ceremony/qr-show/1';
  if (!load) {
    ctx.out.result({ schema, what: null, shown: [], exit: EXIT.waiting }, ['There is nothing to show: nobody waits for anything from here.']);
    return EXIT.waiting;
  }
  const { message, what } = load;
  const facts = { schema, what, bytes: message.length, sha256: toHex(sha256(message)) };
  if (message.length > SLOW_BYTES)
    ctx.out.say(wrap(`! ${what} has ${String(message.length)} bytes, much for codes: minutes on a terminal. If you can, carry the ${load.file ? 'file itself' : 'folder'} on a stick.`, 80));
  const wanted = FORMATS.flatMap((format) => (options[format] === undefined ? [] : [{ format, path: realPath(options[format]) }]));
  if (wanted.length === 0) {
    const terminal = attended(ctx);
    if (!terminal) fail('E_PERSON', 'codes are shown to a person, and there is no terminal (prompt id: show-qr)', { field: 'show-qr', remedy: `As a picture: mpc-ceremony qr show ${fileName(path)} --gif FILE (or --png, --svg, --pdf, --page)` });
    await showCodes(terminal, load, { density, fps });
    ctx.out.result({ ...facts, shown: [], exit: 0 }, []);
    return EXIT.ok;
  }
  const drawn = wanted.map((w) => ({ ...w, ...drawFiles(load, w.format, w.path, { density, fps }) }));
  const written = writeNew(ctx.disk, drawn.flatMap((d) => d.files));
  let at = 0;
  const shown = drawn.map(({ format, files, version, codes, frames }) => ({
    format,
    files: written.slice(at, (at += files.length)),
    version,
    codes,
    frames,
    ...(format === 'gif' || format === 'page' ? { fps: codes === 1 ? null : fps, roundSeconds: codes === 1 ? 0 : duration(frames, fps).seconds } : {}),
  }));
  ctx.out.result({ ...facts, shown, exit: 0 }, [`${what}: ${String(message.length)} bytes`, ...shown.map((s) => inWords(s, fps))]);
  return EXIT.ok;
}

/** What was written, and how long it takes to read. */
function inWords({ format, files, version, codes, frames }: { format: Format; files: readonly { path: string }[]; version: number; codes: number; frames: number }, fps: number): string {
  const [first, ...more] = files;
  const name = `✓ ${fileName(first?.path ?? '')}${more.length === 0 ? '' : ` … ${basename(more.at(-1)?.path ?? '')}`}`;
  const size = `${codes === 1 ? 'one code' : `${String(codes)} codes`} of version ${String(version)}`;
  if (format === 'pdf') return `${name}  ${size}${codes === 1 ? '' : ', each of them needed'}, printed twice, on different sheets`;
  if (codes === 1) return `${name}  ${size}`;
  if (format === 'png' || format === 'svg') return `${name}  ${size}, each of them needed, in any order`;
  return `${name}  ${size} are enough; one round of ${String(frames)} takes ${duration(frames, fps).words} at ${String(fps)} a second`;
}

interface ScanFlags {
  readonly camera?: string | true;
  readonly typed?: boolean;
  readonly into?: string;
  readonly out?: string;
}

/** What one complete message became. */
interface Got {
  readonly bytes: number;
  readonly sha256: string;
  readonly wrote: readonly string[];
  readonly known: readonly string[];
}

/** Where messages go. */
interface Target {
  readonly memory: string;
  readonly accept: (message: Uint8Array) => Promise<void>;
  readonly got: Got[];
  readonly flag: string;
}

/** Longest line that a scanner types, characters. */
const MAX_TYPED = 16_384;

function intoFolder(ctx: Context, folder: string): Target {
  const got: Got[] = [];
  return {
    memory: memoryFile(folder),
    got,
    flag: `--into ${fileName(folder)}`,
    accept: async (message) => {
      const { wrote, known } = await unpackMessage(ctx.disk, folder, message);
      got.push({ bytes: message.length, sha256: toHex(sha256(message)), wrote, known });
    },
  };
}

/** The file that a parcel of one file holds; any other message as it is. */
function contents(message: Uint8Array): Uint8Array {
  try {
    const [file, more] = parseParcel(message, 'the codes');
    return file && more === undefined ? file.bytes : message;
  } catch (e) {
    if (e instanceof CeremonyError) return message;
    throw e;
  }
}

function intoFile(ctx: Context, file: string): Target {
  const got: Got[] = [];
  return {
    memory: `${file}.scan`,
    got,
    flag: `--out ${fileName(file)}`,
    accept: (message) => {
      const bytes = contents(message);
      if (got.length > 0) {
        ctx.out.say('! another message was complete as well; --out keeps the first alone');
        return Promise.resolve();
      }
      writeNew(ctx.disk, [{ path: file, bytes }]);
      got.push({ bytes: message.length, sha256: toHex(sha256(message)), wrote: [file], known: [] });
      return Promise.resolve();
    },
  };
}

function targetOf(ctx: Context, { into, out }: ScanFlags): Target {
  if (into !== undefined && out !== undefined) fail('E_USAGE', '--into and --out exclude each other', { field: 'out' });
  if (out !== undefined) {
    const file = realPath(out);
    if (ctx.disk.exists(file)) fail('E_EXISTS', `${basename(file)} is there already`, { file, remedy: 'Name another file, or move it away.' });
    return intoFile(ctx, file);
  }
  if (into !== undefined) return intoFolder(ctx, realPath(into));
  if (ctx.disk.exists(join(realPath('.'), 'PLAN.yaml'))) return intoFolder(ctx, realPath('.'));
  return fail('E_USAGE', 'it is not said where the message is to go', { field: 'into', remedy: 'Add --into FOLDER (the ceremony folder; it may be new), or --out FILE.' });
}

/** Texts that a program types into this one, a line each. */
async function* linesOf(stream: NodeJS.ReadStream): AsyncGenerator<string, void, undefined> {
  let held = '';
  for await (const chunk of stream.setEncoding('latin1') as AsyncIterable<string>) {
    held += chunk;
    const lines = held.split(/\r?\n|\r/);
    held = lines.pop() ?? '';
    if (held.length > MAX_TYPED) fail('E_TOO_LARGE', 'a line is longer than what a scanner types', { file: 'standard input' });
    for (const line of lines) yield* codesInText(line);
  }
  yield* codesInText(held);
}

export async function qrScan(ctx: Context, files: readonly string[], options: ScanFlags): Promise<ExitCode> {
  const target = targetOf(ctx, options);
  const memory = new ScanMemory(ctx.disk, target.memory, (text) => {
    ctx.out.say(text);
  });
  const scan = new Scan(memory);
  const receiver = new Receiver(scan, target.accept);
  const notes: string[] = [];
  const problems: CeremonyError[] = [];
  const camera = typeof options.camera === 'string' ? options.camera : undefined;
  const terminal = files.length === 0 ? attended(ctx) : undefined;
  try {
    await receiver.settle();
    if (target.got.length > 0) ctx.out.say('A remembered scan was complete.');
    else if (files.length > 0) await readFiles(ctx, files, receiver, notes, problems);
    else if (options.typed === true && !process.stdin.isTTY) await takeAll(receiver, linesOf(process.stdin), target, problems);
    else if (terminal)
      await intake(terminal, receiver, {
        disk: ctx.disk,
        title: options.out === undefined ? 'Codes are to come in.' : `Codes are to come in; they become ${fileName(realPath(options.out))}.`,
        canShow: false,
        camera,
        watch: options.camera !== undefined,
        makePage: () => writeScanPage(ctx.disk),
      });
    else if (options.camera !== undefined) await takeAll(receiver, codesInCamera(camera ?? defaultCamera()), target, problems);
    else
      fail('E_PERSON', 'a person must scan, and there is no terminal (prompt id: scan-qr)', {
        field: 'scan-qr',
        remedy: 'Give the pictures, GIFs or videos as arguments; or --camera; or --typed with what a scanner types on standard input; or run it at a terminal.',
      });
  } finally {
    scan.save();
  }
  return conclude(ctx, target, scan, notes, problems);
}

async function takeAll(receiver: Receiver, texts: AsyncIterable<string>, { got }: Target, problems: CeremonyError[]): Promise<void> {
  const breath = new Breath();
  for await (const text of texts) {
    await breath.draw();
    const { refused } = await receiver.take(text);
    if (refused) problems.push(refused);
    if (got.length > 0) return;
  }
}

/** Reads all files; one that cannot be read does not stop the others. */
async function readFiles(ctx: Context, paths: readonly string[], receiver: Receiver, notes: string[], problems: CeremonyError[]): Promise<void> {
  for (const file of paths.flatMap((p) => filesAt(ctx.disk, p))) {
    let found = 0;
    try {
      const whole = wholeMessage(ctx.disk, file);
      if (whole) {
        const error = await receiver.give(whole);
        if (error !== undefined && error !== 'again') problems.push(error);
        continue;
      }
      for await (const text of codesInFile(file)) {
        found += 1;
        const { refused } = await receiver.take(text);
        if (refused) problems.push(refused);
      }
    } catch (e) {
      if (!(e instanceof CeremonyError) || e.code === 'E_INTERRUPTED') throw e;
      problems.push(e.with({ file }));
      continue;
    }
    if (found === 0) notes.push(`no code was found in ${basename(file)}`);
  }
}

/** Says what came of it. @throws the refusal of a message, or E_MISSING when nothing is complete */
function conclude(ctx: Context, { got, memory, flag }: Target, scan: Scan, notes: readonly string[], problems: readonly CeremonyError[]): ExitCode {
  const { facts } = scan;
  const open = facts.have > 0 || facts.foreign > 0;
  const remembered = open && ctx.disk.exists(memory) ? memory : null;
  const details = [...problems.map((p) => `! ${p.message}`), ...notes.map((n) => `! ${n}`)];
  if (got.length === 0) {
    Object.assign(ctx.about, { scan: facts, remembered });
    const [problem] = problems;
    if (problem && !open) throw problem.with({ details: [...problems.slice(1).map((p) => `! ${p.message}`), ...notes.map((n) => `! ${n}`)] });
    fail('E_MISSING', open ? `not complete: ${scan.words}` : `nothing was scanned: ${scan.words}`, {
      details,
      remedy: remembered === null ? `Let it be shown again, and: mpc-ceremony qr scan FILE… ${flag}` : `What was scanned is remembered. Scan more, in any order: mpc-ceremony qr scan FILE… ${flag}`,
    });
  }
  const wrote = got.flatMap((g) => g.wrote);
  const folder = flag.startsWith('--into') ? flag.slice('--into '.length) : undefined;
  const next = folder === undefined ? undefined : wrote.includes('PLAN.yaml') ? `mpc-ceremony join ${folder} --via qr` : `mpc-ceremony next ${folder} --via qr`;
  for (const text of details) ctx.out.say(text);
  ctx.out.result(
    { schema: 'mpc-ceremony/qr-scan/1', messages: got, scan: facts, remembered, exit: 0 },
    [
      ...got.map((g) => `✓ ${String(g.bytes)} bytes: ${[...(folder === undefined ? g.wrote.map(fileName) : g.wrote), ...g.known.map((k) => `${k} (there already)`)].join(', ')}`),
      ...(open ? [`Still open: ${scan.words}`] : []),
      ...(next === undefined ? [] : [`NEXT  ${next}`]),
    ],
  );
  return EXIT.ok;
}

export async function qrPage(ctx: Context, argument: string): Promise<ExitCode> {
  const { scanPage } = await import('../../qr/page.ts');
  const path = realPath(argument);
  const [file] = writeNew(ctx.disk, [{ path, bytes: utf8(await scanPage()) }]);
  ctx.out.result({ schema: 'mpc-ceremony/qr-page/1', ...file, exit: 0 }, [
    `✓ ${fileName(path)}`,
    wrap('Open it in a browser, on a machine with a camera; it needs no network. At the end it saves a file: mpc-ceremony qr scan THAT-FILE --into FOLDER', 80),
  ]);
  return EXIT.ok;
}
