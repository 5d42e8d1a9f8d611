/** The parts of the HTTP grammar that more than one parser needs (RFC 9110, 5.6). Pure. @module */

/** The ALPN protocol of HTTP/1.1 (RFC 7301). */
export const HTTP_ALPN: readonly string[] = ["http/1.1"];

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const ESCAPE = /%[0-9A-Fa-f]{2}/g;
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;

/** Whether `text` is a token, as method and field names are. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Returns bytes as text, one character per byte (ISO 8859-1, which the label "latin1" of `TextDecoder` is not). */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  // In pieces, because each byte is an argument of the call, and arguments are on the stack.
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}

/** Returns text as bytes, one byte per character. The inverse of {@linkcode latin1}. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Returns the members of a comma-separated list in lower case, without the empty ones (RFC 9110, 5.6.1). */
export function listMembers(value: string): readonly string[] {
  return value.split(",").map((member) => trimWhitespace(member).toLowerCase()).filter((member) =>
    member !== ""
  );
}

/**
 * Returns a path in the form that identifies its resource: without percent escapes of unreserved characters, which mean
 * the same with and without them (RFC 3986, 6.2.2.2). All other escapes stay: `%2F` is not a separator.
 */
export function normalizePath(path: string): string {
  return path.replace(ESCAPE, (escape) => {
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return UNRESERVED.test(character) ? character : escape;
  });
}

/** Removes the spaces and tabs around a text. `trim()` would remove more, for example a no-break space. */
export function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}
