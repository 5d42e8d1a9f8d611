/** Paths of the command line as URLs. @module */
import { pathToFileURL } from "node:url";

/** The `file:` URL of a path, relative to the working directory. */
export function toFileUrl(path: string): string {
  return pathToFileURL(path).href;
}
