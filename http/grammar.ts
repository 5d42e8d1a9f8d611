/** The parts of HTTP's grammar that more than one parser needs (RFC 9110, 5.6). Pure. @module */

import { HttpError } from "./errors.ts";

/** What HTTP/1.1 is called by ALPN (RFC 7301). */
export const HTTP_ALPN: readonly string[] = ["http/1.1"];

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Visible characters, obs-text, space and tab. Whatever else a peer sends, a CR or NUL above all, is read
// differently by different parsers, and that is what request smuggling lives on.
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether `text` is a token, as method and field names are. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Bytes as text, a character a byte (ISO 8859-1, which `TextDecoder`'s "latin1" is not). */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  // In pieces: each byte is an argument of the call, and those live on the stack.
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}

/**
 * One field line, without its CRLF, as name and value.
 *
 * @throws {HttpError} 400 if it is folded, has space around its name, or holds a control character.
 */
export function parseFieldLine(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  if (line.startsWith(" ") || line.startsWith("\t")) {
    throw new HttpError(400, "Header line is folded: each field takes one line");
  }
  if (!isToken(name)) throw new HttpError(400, "Header line does not start with a name and a colon");
  const value = trimWhitespace(line.slice(colon + 1));
  if (!FIELD_VALUE.test(value)) throw new HttpError(400, `Header ${name} holds a control character`);
  return { name, value };
}

/** The members of a comma-separated list, lower case; empty members do not count (RFC 9110, 5.6.1). */
export function listMembers(value: string): readonly string[] {
  return value.split(",").map((member) => trimWhitespace(member).toLowerCase()).filter((member) =>
    member !== ""
  );
}

/** Without the spaces and tabs around it: HTTP knows no others, where `trim()` would take a no-break space too. */
function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}
