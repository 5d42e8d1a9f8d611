/** The files of the project, and the rooms they are in. @module */

/** How people write quantities: kept in cli/, and read wherever a specification has one in it. */
const NOTATION = /^cli\/(duration|size|printable)\.ts$/;

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Where a file of the project is, by its path from the project's root. */
export function fileOf(path: string): string {
  return ROOT + path;
}

/** The path from the project's root, `socket/errors.ts`. */
export function inProject(filename: string): string {
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}

/** The path of what `specifier` names, from the project's root; undefined when it is no file of the project. */
export function target(from: string, specifier: string): string | undefined {
  if (!/^(\.\.?\/|\/|file:)/.test(specifier)) return undefined;
  return inProject(decodeURIComponent(new URL(specifier, `file://${ROOT}${from}`).pathname));
}

/** The folder at the top that a file is in, or what stands for one. */
export function roomOf(file: string): string {
  if (file === "protocol.ts") return file;
  if (NOTATION.test(file)) return "notation";
  const slash = file.indexOf("/");
  return slash < 0 ? "the executables" : file.slice(0, slash);
}
