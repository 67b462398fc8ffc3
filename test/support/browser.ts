/** A real browser without a window, whose camera shows a video file. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Starts it. @param camera a YUV4MPEG2 file, shown again and again at its own rate */
export async function browserWith(camera: string): Promise<Browser> {
  const executablePath = process.env['CHROME_PATH'] ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing; the test of the scan page needs a browser (Debian: apt install chromium; elsewhere set CHROME_PATH)`);
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${camera}`,
    ],
  });
}
