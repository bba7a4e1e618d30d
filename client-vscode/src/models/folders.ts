// Folders as models name them, compared with those of the editor. Pure.

/** A folder's path as it is compared. */
export function comparable(folder: string): string {
  const bare = folder.replace(/[\\/]+$/, "");
  // Paths of Windows are the same in whatever case; those of other systems are not, or need not be.
  return /^[A-Za-z]:/.test(bare) ? bare.replaceAll("/", "\\").toLowerCase() : bare;
}

/** Whether a folder is one of these. */
export function isAmong(folder: string, folders: string[]): boolean {
  return folders.some((other) => comparable(other) === comparable(folder));
}

/** Whether a folder is one of these or lies in one. */
export function isWithin(folder: string, folders: string[]): boolean {
  const path = comparable(folder);
  return folders.map(comparable).some((other) => path === other || path.startsWith(`${other}/`) || path.startsWith(`${other}\\`));
}
