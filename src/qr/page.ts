/**
 * The scan page: one HTML file that reads codes in a browser, for machines on which that is the easiest way to a camera. It is
 * opened from the disk. There is deliberately no local server: without a relay this program opens no network socket, and the
 * page's policy forbids it every request.
 */
import { createHash } from 'node:crypto';
import { fail } from '../wire/errors.ts';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; color: #111; background: #fff; max-width: 44em; margin: 1.5em auto; padding: 0 1em }
h1 { font-size: 1.5em; margin: 0 } h2 { font-size: 1.2em; margin: 0 0 .5em }
button, select, .button { font: inherit; padding: .4em .9em; border: 1px solid #555; border-radius: .3em; background: #f2f2f2; color: #111 }
a.button { display: inline-block; background: #114; color: #fff; text-decoration: none }
video { display: block; width: 100%; max-height: 60vh; margin: 1em 0; background: #000 }
progress { width: 100%; height: 1.2em } #state { font-size: 1.2em; font-weight: bold; margin: .3em 0 } #trouble { color: #a00; min-height: 1.5em }
#done { border: 2px solid #114; padding: 1em } dt { font-weight: bold } dd { margin: 0 0 .5em; overflow-wrap: anywhere }
textarea { width: 100%; height: 6em; font: 12px/1.3 monospace } [hidden] { display: none !important }
`.trim();

const BODY = `
<h1>Read codes</h1>
<p>Hold the codes before the camera, or choose photographs, screenshots, GIFs, videos, or what a scanner typed. This page uses no network
and keeps nothing. What it reads is checked by the program, not here.</p>
<p><button id="start">Use the camera</button> <button id="stop" hidden>Stop the camera</button> <select id="cameras" aria-label="Camera" hidden></select></p>
<p><label>Files: <input id="files" type="file" multiple accept="image/*,video/*,text/plain"></label></p>
<video id="view" muted playsinline hidden></video>
<progress id="bar" max="1" value="0" aria-label="Parts read"></progress>
<p id="state" role="status"></p>
<p id="trouble" role="alert"></p>
<section id="done" hidden>
<h2>Complete</h2>
<dl><dt>Size</dt><dd id="size"></dd><dt>SHA-256</dt><dd id="digest"></dd><dt>The same in words, beginning</dt><dd id="words"></dd></dl>
<p><a id="save" class="button">Save</a> <button id="again">Read another message</button></p>
<p>Give the saved file to <code>mpc-ceremony qr scan</code>, or put it on a stick. Where nothing can be saved, copy this text and paste it
into <code>mpc-ceremony qr scan --typed</code>:</p>
<textarea id="copy" readonly aria-label="The message as text"></textarea>
</section>
`.trim();

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * The scan page as one HTML document of some 1.4 MB, the same bytes each time. All it needs is inside; its policy permits this
 * one script, WebAssembly, and nothing that leaves the page. It holds nothing of a ceremony.
 */
export async function scanPage(): Promise<string> {
  const [{ default: script }, { default: wasm }] = await Promise.all([import('embedded:scan-script'), import('embedded:reader-wasm')]);
  if (/<\/script|<!--/i.test(script)) fail('E_INTERNAL', 'the script of the scan page cannot stand in a page');
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)} 'wasm-unsafe-eval'`,
    `style-src ${hashOf(STYLE)}`,
    'img-src blob:',
    'media-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Read codes</title>
<style>${STYLE}</style>
</head>
<body>
${BODY}
<script type="text/plain" id="wasm">${wasm}</script>
<script>${script}</script>
</body>
</html>
`;
}
