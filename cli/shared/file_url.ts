/** Paths of the command line as URLs. @module */
import { pathToFileURL } from "node:url";

/** Returns the `file:` URL of a path that is relative to the working directory. */
export function toFileUrl(path: string): string {
  return pathToFileURL(path).href;
}
