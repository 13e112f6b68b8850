import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env.SONOSPIKE_CHROMIUM ?? '/usr/bin/chromium';

/** Whether there is a browser to test with; says so if not. */
export function browserMissing(): boolean {
  if (existsSync(CHROMIUM)) return false;
  console.warn(
    `Tests skipped: there is no ${CHROMIUM}. Debian: apt-get install chromium; or set SONOSPIKE_CHROMIUM.`,
  );
  return true;
}

const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface BrowserOptions {
  /** A WAV that the microphone hears once; the permission is given. */
  microphone?: string;
  width?: number;
  height?: number;
  dark?: boolean;
  reducedMotion?: boolean;
}

export interface OpenBrowser {
  context: BrowserContext;
  page: Page;
  /** What the page complained of in its console. */
  complaints: string[];
  close(): Promise<void>;
}

/** A browser of its own, with nothing of another one's. */
export async function openBrowser(options: BrowserOptions = {}): Promise<OpenBrowser> {
  const { microphone, width = 1200, height = 1200, dark = false, reducedMotion = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sonospike-browser-'));
  const sound =
    microphone === undefined
      ? ['--use-fake-device-for-media-stream']
      : [
          '--use-fake-ui-for-media-stream',
          '--use-fake-device-for-media-stream',
          `--use-file-for-fake-audio-capture=${microphone}%noloop`,
        ];
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: CHROMIUM,
    args: [...QUIET, ...sound],
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    acceptDownloads: true,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  return {
    context,
    page,
    complaints,
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
