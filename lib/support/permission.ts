import { existsSync } from 'node:fs';

/** Whether Node was started with its permission model. */
export function isRestricted(): boolean {
  return 'permission' in process && process.permission !== undefined;
}

/** Whether this process may read a file. */
export function mayRead(path: string): boolean {
  return !isRestricted() || process.permission.has('fs.read', path);
}

/** `existsSync`, for files that this process may read: for others it throws in Node 26. */
export function isThere(path: string): boolean {
  return mayRead(path) && existsSync(path);
}
