/** Codes in videos and from cameras, through ffmpeg: what is read, when it ends, and what is said when it cannot. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../../src/qr/code.ts';
import { codesInCamera, codesInFile } from '../../src/qr/read-file.ts';
import { defaultCamera, ffmpegArguments, FrameCutter, framesOfVideo } from '../../src/qr/read-video.ts';
import { UrReader, urSender } from '../../src/qr/ur.ts';
import { concat, utf8 } from '../../src/wire/bytes.ts';
import { CeremonyError } from '../../src/wire/errors.ts';
import { photograph, seeded } from '../support/photo.ts';
import { ffmpeg, type Gray, y4mOf } from '../support/pictures.ts';

const random = seeded(1);
const message = Uint8Array.from({ length: 1500 }, () => Math.floor(random() * 256));
const sender = urSender(message, 250);

async function all(codes: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const code of codes) list.push(code);
  return list;
}
async function refusal(work: Promise<unknown>): Promise<CeremonyError> {
  const e = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(e instanceof CeremonyError)) throw new Error('not refused as it should be', { cause: e });
  return e;
}

let dir: string;
let raw: Uint8Array;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'video-'));
  const shots: Gray[] = Array.from({ length: sender.count + 4 }, (_, i) => photograph(codeOf(sender.part(i + 1), { ecc: 'low' }).modules, { seed: 1, width: 640, height: 480, degrees: 2, noise: 4 }));
  raw = y4mOf(shots, 10, 2);
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** Whether a process is there. */
function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
/** A program in place of ffmpeg: a shell script. It writes its process id to the file that it returns. */
function standIn(name: string, script: string): { ffmpeg: string; pid: () => number } {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\necho $$ > '${path}.pid'\nprintf '%s\\n' "$@" > '${path}.args'\n${script}\n`);
  chmodSync(path, 0o755);
  return { ffmpeg: path, pid: () => Number(readFileSync(`${path}.pid`, 'utf8')) };
}

describe('videos', () => {
  it.each([
    ['mp4', 'mov', ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-movflags', 'frag_keyframe+empty_moov', '-f', 'mp4']],
    ['webm', 'matroska', ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M', '-f', 'webm']],
    ['avi', 'avi', ['-c:v', 'mjpeg', '-q:v', '4', '-pix_fmt', 'yuvj420p', '-f', 'avi']],
    ['ts', 'mpegts', ['-c:v', 'mpeg2video', '-r', '25', '-q:v', '4', '-f', 'mpegts']],
  ])('%s, told by content: the message comes out', async (name, _, options) => {
    const path = join(dir, `film of ${name} %d;$(x).txt`);
    ffmpeg(['-f', 'yuv4mpegpipe', '-i', '-', ...options, `file:${path}`], raw);
    const reader = new UrReader();
    for await (const code of codesInFile(path)) if (reader.take(code) === 'complete') break;
    expect(Buffer.compare(reader.message ?? new Uint8Array(0), message)).toBe(0);
  });
  it('uncompressed, and every frame once', async () => {
    const path = join(dir, 'film');
    writeFileSync(path, raw);
    const frames = await all(codesInFile(path));
    expect(frames.length).toBe(2 * (sender.count + 4));
    expect(new Set(frames).size).toBe(sender.count + 4);
  });
  it('ffmpeg is ended when enough was seen', async () => {
    const path = join(dir, 'long');
    writeFileSync(path, raw);
    // the same film again and again
    const { ffmpeg: program, pid } = standIn('forever', `while true; do cat '${path}'; done`);
    const header = raw.subarray(0, raw.indexOf(10) + 1);
    writeFileSync(path, concat(header, ...Array.from({ length: 50 }, () => concat(utf8('FRAME\n'), new Uint8Array(640 * 480).fill(200)))));
    writeFileSync(path, Buffer.from(readFileSync(path)).toString('latin1').replace('C420jpeg', 'Cmono'), 'latin1');
    let seen = 0;
    for await (const frame of framesOfVideo({ file: path, demuxer: 'mov' }, { ffmpeg: program })) {
      expect(frame.gray.length).toBe(640 * 480);
      expect(alive(pid())).toBe(true);
      if (++seen === 3) break;
    }
    expect(seen).toBe(3);
    expect(alive(pid())).toBe(false);
  });
  it('nor does it outlive an error of the caller', async () => {
    const { ffmpeg: program, pid } = standIn('slow', "printf 'YUV4MPEG2 W2 H2 F1:1 Cmono\\nFRAME\\nabcd'; exec sleep 600");
    await expect(
      (async () => {
        for await (const _ of framesOfVideo({ file: 'x', demuxer: 'mov' }, { ffmpeg: program })) throw new Error('the caller');
      })(),
    ).rejects.toThrow('the caller');
    expect(alive(pid())).toBe(false);
  });
  it('without ffmpeg the remedy is named', async () => {
    const path = join(dir, 'film.mp4');
    writeFileSync(path, concat(Uint8Array.of(0, 0, 0, 24), utf8('ftypisom'), new Uint8Array(100)));
    const e = await refusal(all(codesInFile(path, undefined, { ffmpeg: join(dir, 'no-such-program') })));
    expect(e).toMatchObject({ code: 'E_MISSING', facts: { file: path } });
    expect(e.message).toMatch(/ffmpeg/);
    expect(e.facts.remedy).toMatch(/apt install ffmpeg/);
  });
  it('a file that is only called a video is refused in time, by name', async () => {
    for (const [name, bytes] of [
      ['a.mp4', concat(Uint8Array.of(0, 0, 0, 24), utf8('ftypisom'), new Uint8Array(5000))],
      ['b.webm', concat(Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3), Uint8Array.from({ length: 5000 }, () => Math.floor(random() * 256)))],
    ] as const) {
      const path = join(dir, name);
      writeFileSync(path, bytes);
      const e = await refusal(all(codesInFile(path)));
      expect(e).toMatchObject({ code: 'E_QR', facts: { file: path } });
      expect(e.message).not.toMatch(/[^\x20-\x7e]/);
    }
  });
  it('a film that is cut off gives what it has', async () => {
    const whole = ffmpeg(['-f', 'yuv4mpegpipe', '-i', '-', '-c:v', 'mjpeg', '-q:v', '4', '-pix_fmt', 'yuvj420p', '-f', 'matroska', '-'], raw);
    const path = join(dir, 'cut.mkv');
    writeFileSync(path, whole.subarray(0, Math.floor(whole.length / 2)));
    const codes = new Set(await all(codesInFile(path)));
    expect(codes.size).toBeGreaterThan(2);
    expect(codes.size).toBeLessThan(sender.count + 4);
  });
  it('what ffmpeg complains is shown in one line, without control characters', async () => {
    const { ffmpeg: program } = standIn('rude', `printf 'first\\n\\033[31mlast \\007line\\n' >&2; exit 1`);
    const e = await refusal(all(codesInFile(join(dir, 'film.mp4'), undefined, { ffmpeg: program })));
    expect(e.message).toContain('?[31mlast ?line');
    expect(e.message).not.toContain('first');
  });
  it('frames of another form than was asked for are refused', () => {
    const push = (...texts: string[]): (() => unknown) => {
      const cutter = new FrameCutter();
      return () => texts.map((t) => cutter.push(utf8(t)));
    };
    expect(push('YUV4MPEG2 W2 H2 F1:1 Cmono\nFRAME\nabcdFRA', 'ME\nefgh')()).toEqual([[{ width: 2, height: 2, gray: utf8('abcd') }], [{ width: 2, height: 2, gray: utf8('efgh') }]]);
    expect(push('YUV4MPEG2 W2', ' H2 Cmono\n', 'FRAME\nab', 'cd')()).toEqual([[], [], [], [{ width: 2, height: 2, gray: utf8('abcd') }]]);
    for (const bad of ['MJPEG W2 H2 Cmono\n', 'YUV4MPEG2 W2 H2 C420\n', 'YUV4MPEG2 W99999 H2 Cmono\n', 'YUV4MPEG2 W0 H2 Cmono\n', 'x'.repeat(300), 'YUV4MPEG2 W2 H2 Cmono\nframe\nabcd']) expect(push(bad)).toThrow(CeremonyError);
  });
  it('reads nothing but the one file: no network, no other format than its bytes say', () => {
    const list = ffmpegArguments({ file: 'a b.mp4', demuxer: 'mov' });
    expect(list[list.indexOf('-protocol_whitelist') + 1]).toBe('file');
    expect(list[list.indexOf('-f') + 1]).toBe('mov');
    expect(list[list.indexOf('-i') + 1]).toBe(`file:${join(process.cwd(), 'a b.mp4')}`);
    expect(list.indexOf('-protocol_whitelist')).toBeLessThan(list.indexOf('-i'));
  });
  it('a playlist that calls itself a film gets no connection', async () => {
    const path = join(dir, 'list.mp4');
    writeFileSync(path, '#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n');
    // it is a text without codes, and never reaches ffmpeg
    expect(await refusal(all(codesInFile(path)))).toMatchObject({ code: 'E_QR' });
  });
});

describe('cameras', () => {
  it('are opened as each system does', () => {
    const inputs = (camera: string, platform: NodeJS.Platform): string => {
      const list = ffmpegArguments({ camera, platform });
      return list.slice(list.indexOf('-f'), list.indexOf('-i') + 2).join(' ');
    };
    expect(inputs('/dev/video2', 'linux')).toBe('-f v4l2 -video_size 1280x720 -i /dev/video2');
    expect(inputs('0', 'darwin')).toBe('-f avfoundation -framerate 30 -video_size 1280x720 -i 0:none');
    expect(inputs('USB Camera', 'win32')).toBe('-f dshow -video_size 1280x720 -i video=USB Camera');
    for (const [camera, platform] of [['video0', 'linux'], ['http://127.0.0.1/x', 'linux'], ['-i', 'linux'], ['/dev/video0 x', 'linux'], ['', 'darwin'], ['0:1', 'darwin'], ['a:audio=b', 'win32'], ['', 'win32']] as const)
      expect(() => ffmpegArguments({ camera, platform }), camera).toThrow(CeremonyError);
  });
  it('the first one is found, or its absence is said', () => {
    expect(defaultCamera('darwin')).toBe('0');
    expect(() => defaultCamera('win32')).toThrow(/must be named/);
    if (existsSync('/dev/video0')) expect(defaultCamera('linux')).toBe('/dev/video0');
    else expect(() => defaultCamera('linux')).toThrow(/no camera/);
  });
  it('give codes until the message is there', async () => {
    // a camera never ends: the pictures of a film, in the form in which ffmpeg gives them, for ever
    const film = join(dir, 'camera.y4m');
    writeFileSync(film, ffmpeg(['-f', 'yuv4mpegpipe', '-i', '-', '-pix_fmt', 'gray', '-f', 'yuv4mpegpipe', '-'], raw));
    const body = join(dir, 'camera.frames');
    const bytes = readFileSync(film);
    writeFileSync(body, bytes.subarray(bytes.indexOf(10) + 1));
    const { ffmpeg: program, pid } = standIn('camera', `cat '${film}'; while true; do cat '${body}'; done`);
    const reader = new UrReader();
    for await (const code of codesInCamera('/dev/video0', { ffmpeg: program })) if (reader.take(code) === 'complete') break;
    expect(Buffer.compare(reader.message ?? new Uint8Array(0), message)).toBe(0);
    await after(0);
    expect(alive(pid())).toBe(false);
    expect(readFileSync(join(dir, 'camera.args'), 'utf8')).toContain('\n/dev/video0\n');
  });
  it('that stop giving pictures are left by the signal, before the first one and later', async () => {
    for (const [name, first] of [['stuck', 0], ['stalled', 1]] as const) {
      const { ffmpeg: program, pid } = standIn(name, `printf 'YUV4MPEG2 W2 H2 F1:1 Cmono\nFRAME\n${first === 1 ? 'abcdFRAME\n' : ''}'; exec sleep 600`);
      const leave = new AbortController();
      const frames = framesOfVideo({ camera: '/dev/video0' }, { ffmpeg: program, signal: leave.signal });
      if (first === 1) expect((await frames.next()).value?.gray).toEqual(utf8('abcd'));
      const next = frames.next();
      await expect.poll(() => existsSync(`${program}.args`), { timeout: 30_000 }).toBe(true);
      leave.abort();
      expect(await next).toEqual({ done: true, value: undefined });
      expect(alive(pid())).toBe(false);
    }
    const gone = new AbortController();
    gone.abort();
    const { ffmpeg: program } = standIn('late', 'exec sleep 600');
    expect(await all(codesInCamera('/dev/video0', { ffmpeg: program, signal: gone.signal }))).toEqual([]);
  });
  it('that give nothing are named', async () => {
    const { ffmpeg: program } = standIn('blind', 'echo "/dev/video7: No such file or directory" >&2; exit 1');
    const e = await refusal(all(codesInCamera('/dev/video7', { ffmpeg: program })));
    expect(e).toMatchObject({ code: 'E_MISSING', facts: { file: '/dev/video7' } });
    expect(e.message).toMatch(/No such file/);
  });
});
