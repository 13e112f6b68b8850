/** A file or folder below a data set. */
export interface FoundFile {
  name: string;
  path: string;
  /** The path without links, which tells whether the file was met before. */
  real: string;
}

/** A folder with everything below it, ordered by name. Hidden files are not among its contents. */
export interface Folder extends FoundFile {
  /** Files that hold sound, by their names. */
  sounds: FoundFile[];
  /** Other files. */
  others: FoundFile[];
  folders: Folder[];
}

/** All sound files of a folder and of those below it. */
export function soundsBelow(folder: Folder): FoundFile[] {
  return [...folder.sounds, ...folder.folders.flatMap(soundsBelow)];
}

/** All other files of a folder and of those below it. */
export function othersBelow(folder: Folder): FoundFile[] {
  return [...folder.others, ...folder.folders.flatMap(othersBelow)];
}
