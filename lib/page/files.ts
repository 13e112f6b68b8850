import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileError, SonospikeError } from '../support/errors.js';
import { packageFolder } from '../support/package-files.js';

export interface PageFile {
  type: string;
  body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const PACKAGE = packageFolder();
/** Scripts as TypeScript has left them. They import each other by relative paths, so that the folders stay as they are. */
const SCRIPTS = join(PACKAGE, 'dist');
const SCRIPT_FOLDERS = ['page/browser', 'page', 'plot'];
/** The other scripts that those import. */
const SCRIPT_FILES = [
  'audio/mixing.js',
  'settings/choices.js',
  'settings/confidence.js',
  'settings/shapes.js',
  'support/mel.js',
  'support/text.js',
];
/** What the page has besides: not compiled, so it is served from where it was written. */
const SOURCES = join(PACKAGE, 'lib/page/browser');

/**
 * Everything that the server gives out, by its path in the URL. All of it is in memory: no request reaches a disk.
 * @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE where the package is not whole
 */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const scripts = await Promise.all(SCRIPT_FOLDERS.map((folder) => filesOf(join(SCRIPTS, folder), ['.js'])));
  const sources = await filesOf(SOURCES, ['.html', '.css', '.svg']);
  const files = new Map<string, PageFile>();
  for (const file of [...scripts.flat(), ...SCRIPT_FILES.map((name) => join(SCRIPTS, name))])
    files.set(urlPath(SCRIPTS, file), await read(file));
  for (const file of sources) files.set(urlPath(SOURCES, file), await read(file));
  const index = files.get('/index.html');
  if (index === undefined || !files.has('/page/browser/main.js')) {
    throw new SonospikeError(
      'ERR_FILE_NOT_FOUND',
      `The files of the page are missing in ${PACKAGE}. Run npm ci.`,
    );
  }
  return files.set('/', index);
}

async function filesOf(folder: string, extensions: readonly string[]): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => extensions.includes(extname(name))).map((name) => join(folder, name));
  } catch (error) {
    throw fileError(error, folder, 'read');
  }
}

async function read(file: string): Promise<PageFile> {
  try {
    return { type: TYPES[extname(file)]!, body: await readFile(file) };
  } catch (error) {
    throw fileError(error, file, 'read');
  }
}

function urlPath(root: string, file: string): string {
  return `/${relative(root, file).split(sep).join('/')}`;
}
