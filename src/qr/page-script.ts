/**
 * The script of the scan page (page.ts): reads codes from the camera or from files, in a browser, without a network. It keeps
 * nothing beyond the life of the page and sends nothing; what it gives is a file that the person saves. Checked with the types
 * of a browser (tsconfig.page.json), so nothing of node can be used here or in what is imported.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { words } from '../wire/words.ts';
import { framesOfGif } from './read-gif.ts';
import { codesInGray, grayOf, type GrayPicture, useReader } from './reader.ts';
import { codesInText } from './typed.ts';
import { urSender, UrReader } from './ur.ts';

/** Frames and pictures are looked at in this size at most, longer side; photographs of a sheet need more than frames. */
const FRAME_SIDE = 1280;
const PICTURE_SIDE = 4096;
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** Bytes of the message in one line of the text to copy. */
const COPY_FRAGMENT = 600;
/** Words of the digest that are shown. */
const WORDS = 8;

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

const page = {
  start: element('start', HTMLButtonElement),
  stop: element('stop', HTMLButtonElement),
  cameras: element('cameras', HTMLSelectElement),
  files: element('files', HTMLInputElement),
  view: element('view', HTMLVideoElement),
  bar: element('bar', HTMLProgressElement),
  state: element('state', HTMLParagraphElement),
  trouble: element('trouble', HTMLParagraphElement),
  done: element('done', HTMLElement),
  size: element('size', HTMLElement),
  digest: element('digest', HTMLElement),
  words: element('words', HTMLElement),
  save: element('save', HTMLAnchorElement),
  copy: element('copy', HTMLTextAreaElement),
  again: element('again', HTMLButtonElement),
};
const canvas = document.createElement('canvas');
const brush = canvas.getContext('2d', { willReadFrequently: true });

let reader = new UrReader();
let stream: MediaStream | undefined;
/** Rises whenever something new is read, so that what went on before ends. */
let turn = 0;

const many = (count: number, one: string, more: string): string => `${String(count)} ${count === 1 ? one : more}`;
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ' ');

function showProgress(): void {
  const { parts, rank, missing, foreign, damaged } = reader.progress;
  const facts = [parts === 0 ? 'No code yet' : `${String(rank)} of ${many(parts, 'part', 'parts')}`];
  if (parts > 0) facts.push(missing === 0 ? 'complete' : `${String(missing)} missing`);
  if (foreign > 0) facts.push(`${many(foreign, 'code', 'codes')} of another message`);
  if (damaged > 0) facts.push(`${many(damaged, 'damaged code', 'damaged codes')}`);
  page.state.textContent = facts.join('; ');
  page.bar.max = Math.max(parts, 1);
  page.bar.value = rank;
}

/** Takes codes in. Returns whether the message is complete. */
function take(codes: readonly string[]): boolean {
  for (const code of codes) {
    reader.take(code);
    if (reader.message !== undefined) break;
  }
  showProgress();
  if (reader.message === undefined) return false;
  if (page.done.hidden) finish(reader.message);
  return true;
}

function finish(message: Uint8Array): void {
  stopReading();
  const digest = sha256(message);
  const hex = bytesToHex(digest);
  page.size.textContent = many(message.length, 'byte', 'bytes').replace(/^\d+/, grouped(message.length));
  page.digest.textContent = hex;
  page.words.textContent = words(digest.subarray(0, WORDS)).join(' ');
  page.save.href = URL.createObjectURL(new Blob([message as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' }));
  page.save.download = `scan-${hex.slice(0, 8)}.parcel`;
  page.save.textContent = `Save ${page.save.download}`;
  const sender = urSender(message, COPY_FRAGMENT);
  page.copy.value = `${Array.from({ length: sender.count }, (_, i) => sender.part(i + 1)).join('\n')}\n`;
  // what would come next must not take this one's place before it is saved
  page.start.disabled = true;
  page.files.disabled = true;
  page.done.hidden = false;
  page.save.focus();
}

function stopReading(): void {
  turn++;
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  page.view.srcObject = null;
  if (page.view.src.startsWith('blob:')) URL.revokeObjectURL(page.view.src);
  page.view.removeAttribute('src');
  page.view.hidden = true;
  page.stop.hidden = true;
  page.start.hidden = false;
}

function startAgain(): void {
  stopReading();
  if (page.save.href.startsWith('blob:')) URL.revokeObjectURL(page.save.href);
  page.save.removeAttribute('href');
  page.copy.value = '';
  page.files.value = '';
  page.start.disabled = false;
  page.files.disabled = false;
  page.done.hidden = true;
  page.trouble.textContent = '';
  reader = new UrReader();
  showProgress();
}

/** What is wrong, for the person; none of it from the outside but a file's name. */
function complain(text: string): void {
  page.trouble.textContent = text;
}

/** Gray pixels of whatever a browser can draw, made smaller if need be. */
function pixelsOf(source: CanvasImageSource, width: number, height: number, side: number): GrayPicture {
  const scale = Math.min(1, side / Math.max(width, height));
  const [w, h] = [Math.max(Math.round(width * scale), 1), Math.max(Math.round(height * scale), 1)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  if (brush === null) throw new Error('this browser cannot draw');
  // what is transparent in a picture is paper
  brush.fillStyle = '#fff';
  brush.fillRect(0, 0, w, h);
  brush.drawImage(source, 0, 0, w, h);
  return grayOf({ width: w, height: h, rgba: brush.getImageData(0, 0, w, h).data });
}

/** Looks at every frame that the video element shows, until the message is complete, the video ends, or something else is read. */
async function watch(mine: number): Promise<void> {
  const { view } = page;
  let inverted = false;
  while (turn === mine && !view.ended && view.error === null) {
    const more = await new Promise<boolean>((resolve) => {
      const ended = (): void => {
        resolve(false);
      };
      view.addEventListener('ended', ended, { once: true });
      view.addEventListener('error', ended, { once: true });
      view.requestVideoFrameCallback(() => {
        view.removeEventListener('ended', ended);
        view.removeEventListener('error', ended);
        resolve(true);
      });
    });
    if (!more || turn !== mine) return;
    if (view.videoWidth === 0) continue;
    // white on black is looked for while nothing else was found
    inverted = !inverted && reader.progress.parts === 0;
    if (take(await codesInGray(pixelsOf(view, view.videoWidth, view.videoHeight, FRAME_SIDE), inverted ? 'still' : 'moving'))) return;
  }
}

async function useCamera(): Promise<void> {
  stopReading();
  complain('');
  const mine = turn;
  try {
    // from a disk a page has no media devices in some browsers
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    if (devices === undefined) return complain('This browser gives the camera to no page that is opened from a disk. Take a photograph or a video and choose the file.');
    const chosen = page.cameras.value;
    const opened = await devices.getUserMedia({
      audio: false,
      video: { width: { ideal: 1280 }, height: { ideal: 720 }, ...(chosen === '' ? { facingMode: { ideal: 'environment' } } : { deviceId: { exact: chosen } }) },
    });
    if (turn !== mine) {
      for (const track of opened.getTracks()) track.stop();
      return;
    }
    stream = opened;
    page.view.srcObject = opened;
    page.view.hidden = false;
    page.stop.hidden = false;
    page.start.hidden = true;
    await page.view.play();
    await listCameras(devices, opened);
    await watch(mine);
    if (turn !== mine) return;
    stopReading();
    complain('The camera stopped. Plug it in and start it again.');
  } catch (e) {
    if (turn !== mine) return;
    stopReading();
    const name = e instanceof DOMException ? e.name : '';
    if (name === 'NotAllowedError') complain('The browser does not permit the camera to this page. Permit it, or take a photograph or a video and choose the file.');
    else if (name === 'NotFoundError') complain('There is no camera. Take a photograph or a video and choose the file.');
    else complain('The camera gives no pictures. Close other programs that use it, or take a photograph or a video and choose the file.');
  }
}

async function listCameras(devices: MediaDevices, opened: MediaStream): Promise<void> {
  const cameras = (await devices.enumerateDevices()).filter((d) => d.kind === 'videoinput');
  const present = opened.getVideoTracks()[0]?.getSettings().deviceId ?? '';
  page.cameras.replaceChildren(...cameras.map((d, i) => new Option(d.label || `Camera ${String(i + 1)}`, d.deviceId, false, d.deviceId === present)));
  page.cameras.hidden = cameras.length < 2;
}

/** Reads one file; what it is, its first bytes and the browser say. Returns whether it could be read at all. */
async function readFile(file: File, mine: number): Promise<boolean> {
  if (file.type.startsWith('video/')) return readVideo(file, mine);
  if (file.size > MAX_FILE_BYTES) return false;
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (String.fromCharCode(...bytes.subarray(0, 4)) === 'GIF8') {
    for (const frame of framesOfGif(bytes)) if (turn !== mine || take(await codesInGray(frame, 'moving'))) break;
    return true;
  }
  const typed = file.type.startsWith('text/') || /^\s*ur:/i.test(String.fromCharCode(...bytes.subarray(0, 64)));
  if (typed) {
    take(codesInText(new TextDecoder().decode(bytes)));
    return true;
  }
  const picture = await createImageBitmap(file).catch(() => undefined);
  if (picture === undefined) return readVideo(file, mine);
  try {
    take(await codesInGray(pixelsOf(picture, picture.width, picture.height, PICTURE_SIDE)));
  } finally {
    picture.close();
  }
  return true;
}

async function readVideo(file: File, mine: number): Promise<boolean> {
  const { view } = page;
  view.src = URL.createObjectURL(file);
  view.hidden = false;
  try {
    await view.play();
    await watch(mine);
    return true;
  } catch {
    return false;
  } finally {
    if (turn === mine) {
      URL.revokeObjectURL(view.src);
      view.removeAttribute('src');
      view.hidden = true;
    }
  }
}

async function useFiles(files: readonly File[]): Promise<void> {
  stopReading();
  complain('');
  const mine = turn;
  for (const file of files) {
    const before = reader.progress;
    const could = await readFile(file, mine).catch(() => false);
    if (turn !== mine) return;
    const { seen, foreign, damaged } = reader.progress;
    if (!could) complain(`${file.name} cannot be read here. Save it as PNG, JPEG, GIF or MP4.`);
    else if (seen + foreign + damaged === before.seen + before.foreign + before.damaged) complain(`There is no code in ${file.name}. Take the picture again: straight, sharp, the whole code with its white margin.`);
  }
}

function main(): void {
  const wasm = element('wasm', HTMLScriptElement);
  useReader(Uint8Array.from(atob(wasm.textContent), (c) => c.charCodeAt(0)));
  wasm.remove();
  page.start.addEventListener('click', () => void useCamera());
  page.stop.addEventListener('click', stopReading);
  page.cameras.addEventListener('change', () => void useCamera());
  page.files.addEventListener('change', () => void useFiles([...(page.files.files ?? [])]));
  // the same file may be chosen again
  page.files.addEventListener('click', () => {
    page.files.value = '';
  });
  page.again.addEventListener('click', startAgain);
  page.copy.addEventListener('focus', () => {
    page.copy.select();
  });
  showProgress();
}

main();
