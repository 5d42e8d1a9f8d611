/** Comparison of a path with an open file. @module */

/** Whether a path names this open file, and not through a symbolic link. */
export async function isAt(path: string, file: Deno.FsFile): Promise<boolean> {
  const opened = await file.stat();
  try {
    const named = await Deno.lstat(path);
    return named.isFile && named.ino === opened.ino && named.dev === opened.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
