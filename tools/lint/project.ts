/** Paths of the project's files, and the top-level folders they belong to. @module */

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Returns the absolute path of a file, given its path from the project root. */
export function fileOf(path: string): string {
  return ROOT + path;
}

/** Returns the path from the project root, such as `socket/errors.ts`. */
export function inProject(filename: string): string {
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}

/** Resolves an import specifier to a path from the project root, or `undefined` if it names a package. */
export function target(from: string, specifier: string): string | undefined {
  if (!/^(\.\.?\/|\/|file:)/.test(specifier)) return undefined;
  return inProject(decodeURIComponent(new URL(specifier, `file://${ROOT}${from}`).pathname));
}

/** Returns the top-level folder of a file, `protocol.ts` for that file, or "executables" for the others at the top. */
export function folderOf(file: string): string {
  if (file === "protocol.ts") return file;
  const slash = file.indexOf("/");
  return slash < 0 ? "executables" : file.slice(0, slash);
}
