/** The scan page in a real browser: its camera shows our codes, it gives back the message, and nothing leaves it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../../src/qr/code.ts';
import { codesGif } from '../../src/qr/gif.ts';
import { scanPage } from '../../src/qr/page.ts';
import { codesInText } from '../../src/qr/typed.ts';
import { UrReader, urSender } from '../../src/qr/ur.ts';
import { toHex, utf8 } from '../../src/wire/bytes.ts';
import { sha256 } from '../../src/wire/hash.ts';
import { words } from '../../src/wire/words.ts';
import { browserWith } from '../support/browser.ts';
import { photograph, seeded } from '../support/photo.ts';
import { ffmpeg, type Gray, grayPng, y4mOf } from '../support/pictures.ts';

const random = seeded(3);
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(random() * 256));
/** 20 kB: 34 codes of version 20. */
const message = bytes(20_000);
const sender = urSender(message, 600);
const other = urSender(bytes(900), 100);
const shot = (text: string, seed: number): Gray => photograph(codeOf(text, { ecc: 'low' }).modules, { seed, width: 800, height: 600, degrees: 2, noise: 5, fill: 0.95 });

let dir: string;
let browser: Browser;
let address: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'page-'));
  address = pathToFileURL(join(dir, 'scan page.html')).href;
  writeFileSync(join(dir, 'scan page.html'), await scanPage());
  // two codes of something else are held up in between; parts out of order; the first of all parts left out
  const texts = Array.from({ length: sender.count + 5 }, (_, i) => sender.part(((i * 7) % (sender.count + 5)) + 2));
  texts.splice(3, 0, other.part(1));
  texts.splice(9, 0, other.part(2));
  writeFileSync(join(dir, 'camera.y4m'), y4mOf(texts.map(shot), 12));
  browser = await browserWith(join(dir, 'camera.y4m'));
});
afterAll(async () => {
  await browser.close();
  rmSync(dir, { recursive: true, force: true });
});

let context: BrowserContext;
let page: Page;
let requests: string[];
let complaints: string[];
beforeEach(async () => {
  context = await browser.newContext({ acceptDownloads: true });
  [requests, complaints] = [[], []];
  context.on('request', (r) => requests.push(r.url()));
  page = await context.newPage();
  page.on('console', (m) => complaints.push(m.text()));
  page.on('pageerror', (e) => complaints.push(e.message));
  await page.goto(address);
});
afterEach(async () => {
  // whatever a test did: the page itself, and addresses inside the page, are all that was ever asked for
  expect(requests.filter((url) => url !== address && !url.startsWith('blob:null/'))).toEqual([]);
  expect(requests).toContain(address);
  expect(complaints).toEqual([]);
  await context.close();
});

const state = (): Promise<string> => page.innerText('#state');
/** Waits until the page says so. */
async function told(what: () => Promise<string>, pattern: RegExp): Promise<void> {
  await expect.poll(what, { timeout: 30_000 }).toMatch(pattern);
}
async function saved(): Promise<{ name: string; bytes: Uint8Array }> {
  await page.waitForSelector('#done:not([hidden])', { timeout: 60_000 });
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  return { name: download.suggestedFilename(), bytes: new Uint8Array(readFileSync(await download.path())) };
}

describe('the scan page', () => {
  it('20 kB from the camera, byte for byte; progress in words; nothing is kept', async () => {
    expect(await state()).toBe('No code yet');
    const states = new Set<string>();
    await page.exposeFunction('told', (text: string) => states.add(text));
    await page.evaluate(() => {
      const line = (globalThis as unknown as { document: { getElementById(id: string): { textContent: string } } }).document.getElementById('state');
      const Observer = (globalThis as unknown as { MutationObserver: new (f: () => void) => { observe(on: object, what: object): void } }).MutationObserver;
      new Observer(() => (globalThis as unknown as { told(text: string): void }).told(line.textContent)).observe(line, { childList: true });
    });
    await page.click('#start');
    const file = await saved();
    expect(Buffer.compare(file.bytes, message)).toBe(0);
    const digest = sha256(message);
    expect(file.name).toBe(`scan-${toHex(digest).slice(0, 8)}.parcel`);
    expect(await page.innerText('#size')).toBe('20 000 bytes');
    expect(await page.innerText('#digest')).toBe(toHex(digest));
    expect(await page.innerText('#words')).toBe(words(digest.subarray(0, 8)).join(' '));
    // on the way it said how much was missing, and that other codes were seen
    expect([...states].some((s) => /^\d+ of 34 parts; \d+ missing/.test(s))).toBe(true);
    expect(await state()).toMatch(/^34 of 34 parts; complete(?:; \d+ codes? of another message)?$/);
    // the camera is off
    expect(await page.isVisible('#view')).toBe(false);
    // the text to copy is the message too
    const copied = new UrReader();
    for (const code of codesInText(await page.inputValue('#copy'))) copied.take(code);
    expect(Buffer.compare(copied.message ?? new Uint8Array(0), message)).toBe(0);
    // nothing takes its place unasked
    expect([await page.isDisabled('#start'), await page.isDisabled('#files')]).toEqual([true, true]);
    // a further message begins from nothing, and a new page knows nothing
    await page.click('#again');
    expect(await state()).toBe('No code yet');
    expect(await page.isVisible('#done')).toBe(false);
    expect([await page.isEnabled('#start'), await page.isEnabled('#files')]).toEqual([true, true]);
    expect(await context.storageState({ indexedDB: true })).toEqual({ cookies: [], origins: [] });
    await page.reload();
    expect(await state()).toBe('No code yet');
  });

  it('photographs, an animated GIF, a video and typed text together bring one message', async () => {
    const parts = Array.from({ length: other.count }, (_, i) => other.part(i + 1));
    const gif = codesGif(parts.slice(2, 4).map((t) => codeOf(t, { ecc: 'low', version: 14 }).modules), { scale: 3 });
    const video = ffmpeg(['-f', 'yuv4mpegpipe', '-i', '-', '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M', '-f', 'webm', '-'], y4mOf(parts.slice(4, 7).map(shot), 4, 3));
    const choose = async (name: string, mimeType: string, content: Uint8Array): Promise<void> => page.setInputFiles('#files', { name, mimeType, buffer: Buffer.from(content) });
    await choose('a.png', 'image/png', grayPng(shot(parts[0] as string, 1)));
    await told(state, /^1 of 10 parts; 9 missing$/);
    await choose('b.jpg', 'image/jpeg', ffmpeg(['-f', 'png_pipe', '-i', '-', '-q:v', '3', '-f', 'mjpeg', '-'], grayPng(shot(parts[1] as string, 2))));
    await told(state, /^2 of 10 parts; 8 missing$/);
    await choose('c.gif', 'image/gif', gif);
    await told(state, /^4 of 10 parts; 6 missing$/);
    await choose('d.webm', 'video/webm', video);
    await told(state, /^7 of 10 parts; 3 missing$/);
    await choose('e.txt', 'text/plain', utf8(`${parts.slice(7).join('\r\n').toLowerCase()}\r\n${sender.part(1)}\n`));
    const reader = new UrReader();
    for (const part of parts) reader.take(part);
    expect(Buffer.compare((await saved()).bytes, reader.message ?? new Uint8Array(0))).toBe(0);
  });

  it('files that hold nothing, or hurt, are named in words, and their names are only text', async () => {
    const trouble = async (name: string, mimeType: string, content: Uint8Array): Promise<string> => {
      await page.evaluate("document.getElementById('trouble').textContent = ''");
      await page.setInputFiles('#files', { name, mimeType, buffer: Buffer.from(content) });
      const line = (): Promise<string> => page.innerText('#trouble');
      await told(line, /./);
      return line();
    };
    expect(await trouble('<img src=x onerror=alert(1)>.png', 'image/png', grayPng({ width: 50, height: 50, gray: new Uint8Array(2500) }))).toMatch(/^There is no code in <img src=x onerror=alert\(1\)>\.png\./);
    expect(await page.locator('#trouble img').count()).toBe(0);
    expect(await trouble('film.mp4', 'video/mp4', bytes(3000))).toMatch(/^film\.mp4 cannot be read here/);
    expect(await trouble('broken.png', 'image/png', grayPng({ width: 50, height: 50, gray: new Uint8Array(2500) }).subarray(0, 60))).toMatch(/^broken\.png cannot be read here/);
    expect(await trouble('broken.gif', 'image/gif', utf8('GIF89a\xff\xff'))).toMatch(/^broken\.gif cannot be read here/);
    // hostile codes change nothing
    await page.setInputFiles('#files', { name: 'x.txt', mimeType: 'text/plain', buffer: Buffer.from('UR:BYTES/1-1000000/AEAEAEAE\nUR:BYTES/\nUR:<SCRIPT>/\n') });
    await told(state, /^No code yet; /);
    await page.setInputFiles('#files', { name: 'y.txt', mimeType: 'text/plain', buffer: Buffer.from(other.part(1)) });
    await told(state, /^1 of 10 parts; 9 missing/);
  });

  it('its policy lets nothing out, even if a script tried', async () => {
    const hits: string[] = [];
    const server: Server = createServer((request, response) => {
      hits.push(request.url ?? '');
      response.setHeader('access-control-allow-origin', '*').end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const there = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    try {
      const blocked = await page.evaluate(`(async () => {
        const seen = [];
        document.addEventListener('securitypolicyviolation', (e) => seen.push(e.effectiveDirective));
        const at = ${JSON.stringify(there)};
        await fetch(at + '/fetch').catch(() => {});
        new Image().src = at + '/image';
        try { new WebSocket(at.replace('http', 'ws')); } catch {}
        navigator.sendBeacon(at + '/beacon');
        for (const [name, key] of [['script', 'src'], ['iframe', 'src'], ['link', 'href']]) {
          const e = document.createElement(name);
          if (name === 'link') e.rel = 'stylesheet';
          e[key] = at + '/' + name;
          document.body.append(e);
        }
        const inline = document.createElement('script');
        inline.textContent = 'globalThis.ran = true';
        document.body.append(inline);
        const form = document.createElement('form');
        form.action = at + '/form';
        document.body.append(form);
        form.submit();
        await new Promise((r) => setTimeout(r, 300));
        return { seen: [...new Set(seen)].sort(), ran: 'ran' in globalThis };
      })()`);
      expect(blocked).toEqual({ seen: ['connect-src', 'form-action', 'frame-src', 'img-src', 'script-src-elem', 'style-src-elem'], ran: false });
      expect(hits).toEqual([]);
      // they were asked for by the test, and stopped in the browser
      requests = requests.filter((url) => !url.startsWith(there) && !url.startsWith(there.replace('http', 'ws')));
      complaints = complaints.filter((text) => !/Content Security Policy|violates/.test(text));
    } finally {
      server.close();
    }
  });

  it('is one file without references, the same bytes each time', async () => {
    const html = await scanPage();
    expect(html).toBe(await scanPage());
    expect(html).toBe(readFileSync(join(dir, 'scan page.html'), 'utf8'));
    const shell = html.replace(/<script[^]*?<\/script>/g, '');
    expect(shell).not.toMatch(/\b(?:src|href|srcset|action)=/);
    expect(html.match(/<script/g)?.length).toBe(2);
    expect(html.length).toBeLessThan(1_500_000);
    expect(html).toContain("default-src 'none'");
    expect(html).not.toContain('unsafe-inline');
  });
});
