/** What a folder may hold besides sound is left out: files that the browser, or the server, takes for sound by name. */
const SOUND = /\.(wav|w64|flac|mp3|m4a|og[ag]|opus|webm|aiff?)$/i;

/**
 * The files of a drop; of a folder, the sound files below it by their paths, but hidden ones. Must be called while the
 * event is handled, as its data is gone afterwards.
 */
export async function droppedFiles({ items, files }: DataTransfer): Promise<File[]> {
  const plain = [...files];
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const folders = entries.filter((entry) => entry.isDirectory);
  if (folders.length === 0) return plain;
  const names = new Set(folders.map(({ name }) => name));
  const below = await Promise.all(folders.map((folder) => filesBelow(folder as FileSystemDirectoryEntry)));
  return [...plain.filter(({ name }) => !names.has(name)), ...below.flat()];
}

async function filesBelow(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const entries = (await entriesOf(folder)).filter(({ name }) => !name.startsWith('.'));
  entries.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const found: File[] = [];
  for (const entry of entries) {
    if (entry.isDirectory) found.push(...(await filesBelow(entry as FileSystemDirectoryEntry)));
    else if (SOUND.test(entry.name)) found.push(await fileOf(entry as FileSystemFileEntry));
  }
  return found;
}

/** A reader gives some entries at a time, and none when there are no more. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** A file that is named by its path, as those of two folders may have one name. */
async function fileOf(entry: FileSystemFileEntry): Promise<File> {
  const file = await new Promise<File>((done, fail) => entry.file(done, fail));
  return new File([file], entry.fullPath.replace(/^\//, ''), { type: file.type });
}
