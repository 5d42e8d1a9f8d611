/** The request line and the header fields, and what they mean. Pure. @module */
import { HttpError } from "./errors.ts";
import { type Field, headersOf } from "./field_section.ts";
import { isToken, listMembers } from "./grammar.ts";

/** The rule that finds the end of a body. */
export type BodyFraming =
  | { readonly type: "none" }
  | { readonly type: "sized"; readonly length: number }
  | { readonly type: "chunked" };

/** A request without its body. */
export interface RequestHead {
  /** Case-sensitive; any token, whether the server supports it or not. */
  readonly method: string;
  /** The target as sent. */
  readonly target: string;
  /** The scheme of a target in absolute form. Undefined in the other forms, which use the scheme of the connection. */
  readonly scheme: "http" | "https" | undefined;
  /** The path of the target, still percent-encoded, or `*` for the server as a whole. */
  readonly path: string;
  /** The part of the target after its `?`, or an empty string. */
  readonly query: string;
  /** The requested host and port, or an empty string if an HTTP/1.0 client sends none. */
  readonly authority: string;
  /** 0 for HTTP/1.0; 1 for HTTP/1.1 and later minor versions. */
  readonly minorVersion: 0 | 1;
  readonly headers: Headers;
  readonly body: BodyFraming;
  /** Whether the client may send another request on this connection. */
  readonly keepAlive: boolean;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
}

interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly minorVersion: 0 | 1;
}

const VERSION = /^HTTP\/(\d)\.(\d)$/;
// The characters of a path or query in RFC 3986, and percent escapes. Some clients send brackets, braces, and bars
// unescaped. These are refused, because a proxy may read them differently.
const PATH_AND_QUERY =
  /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*(?:\?(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?$/;
// host [":" port]. The host is a name, an IPv4 address, or an IP literal in brackets. A user is refused: it only misleads.
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::\d{0,5})?$/;
const ABSOLUTE = /^(https?):\/\/([^/?]*)(.*)$/i;
// Fifteen digits are exact in a number.
const DIGITS = /^\d{1,15}$/;

/**
 * Parses a request line without its CRLF. Exactly one space separates the parts (RFC 9112, 3).
 *
 * @throws {HttpError} 400 if it is malformed, 505 if its major version is not 1.
 */
export function parseRequestLine(line: string): RequestLine {
  const parts = line.split(" ");
  const [method, target, version] = parts;
  if (parts.length !== 3 || !method || !target || !version) {
    throw new HttpError(400, "Request line is not METHOD TARGET VERSION");
  }
  if (!isToken(method)) throw new HttpError(400, "Method is not a token");
  const digits = VERSION.exec(version);
  if (!digits) throw new HttpError(400, "Version is not of the form HTTP/1.1");
  if (digits[1] !== "1") throw new HttpError(505, `Version is not HTTP/1: ${version}`);
  return { method, target, minorVersion: digits[2] === "0" ? 0 : 1 };
}

/**
 * Creates the head of a request, and decides where its body ends. It is strict, because each leniency would let two
 * parsers differ.
 *
 * @throws {HttpError} 400, 417, or 501.
 */
export function createRequestHead(requestLine: RequestLine, fields: readonly Field[]): RequestHead {
  const { method, target, minorVersion } = requestLine;
  const headers = headersOf(fields);
  // Not from `headers`, which joins two fields of one name.
  const valuesOf = (wanted: string): readonly string[] =>
    fields.filter(({ name }) => name.toLowerCase() === wanted).map(({ value }) => value);
  const body = framing(minorVersion, valuesOf("content-length"), headers.get("transfer-encoding"));
  const connection = listMembers(headers.get("connection") ?? "");
  return {
    ...requestLine,
    ...resolveTarget(method, target, hostOf(valuesOf("host"), minorVersion)),
    headers,
    body,
    keepAlive: !connection.includes("close") && (minorVersion === 1 || connection.includes("keep-alive")),
    expectsContinue: expectsContinue(headers.get("expect"), minorVersion) && body.type !== "none",
  };
}

function framing(
  minorVersion: 0 | 1,
  lengths: readonly string[],
  transferEncoding: string | null,
): BodyFraming {
  if (transferEncoding !== null) {
    if (lengths.length > 0) throw new HttpError(400, "Content-Length and Transfer-Encoding are both given");
    if (minorVersion === 0) throw new HttpError(400, "Transfer-Encoding does not exist in HTTP/1.0");
    const codings = listMembers(transferEncoding);
    if (codings.at(-1) !== "chunked" || codings.indexOf("chunked") !== codings.length - 1) {
      throw new HttpError(400, "Transfer-Encoding does not end with one chunked");
    }
    if (codings.length > 1) throw new HttpError(501, `Transfer coding is not supported: ${codings[0]}`);
    return { type: "chunked" };
  }
  if (lengths.length > 1) throw new HttpError(400, "Content-Length is given more than once");
  const [length] = lengths;
  if (length === undefined) return { type: "none" };
  // Only digits: a sign, a list, or a hexadecimal number is refused.
  if (!DIGITS.test(length)) throw new HttpError(400, "Content-Length is not a number of bytes");
  return { type: "sized", length: Number(length) };
}

function hostOf(hosts: readonly string[], minorVersion: 0 | 1): string {
  const [host] = hosts;
  if (hosts.length > 1) throw new HttpError(400, "Host is given more than once");
  if (host === undefined && minorVersion === 1) throw new HttpError(400, "Host is missing");
  if (host && !AUTHORITY.test(host)) throw new HttpError(400, "Host is not a host and a port");
  return host ?? "";
}

/** Resolves the four forms of RFC 9112, 3.2. The absolute form has an authority, which takes precedence over Host. */
function resolveTarget(
  method: string,
  target: string,
  host: string,
): Pick<RequestHead, "scheme" | "path" | "query" | "authority"> {
  if (method === "CONNECT") throw new HttpError(501, "CONNECT is not supported: this is not a proxy");
  if (target === "*") {
    if (method !== "OPTIONS") throw new HttpError(400, "Target * is only for OPTIONS");
    return { scheme: undefined, path: "*", query: "", authority: host };
  }
  const [, schemeText, authority = host, rest = target] = ABSOLUTE.exec(target) ?? [];
  const scheme = schemeText === undefined
    ? undefined
    : schemeText.toLowerCase() === "https"
    ? "https"
    : "http";
  if (scheme !== undefined && !AUTHORITY.test(authority)) {
    throw new HttpError(400, "Target's authority is not a host and a port");
  }
  const pathAndQuery = scheme !== undefined && !rest.startsWith("/") ? `/${rest}` : rest;
  if (!PATH_AND_QUERY.test(pathAndQuery)) {
    throw new HttpError(400, "Target is not a path or an http or https URL of valid characters");
  }
  const mark = pathAndQuery.indexOf("?");
  const [path, query] = mark < 0
    ? [pathAndQuery, ""]
    : [pathAndQuery.slice(0, mark), pathAndQuery.slice(mark + 1)];
  return { scheme, path, query, authority };
}

function expectsContinue(expect: string | null, minorVersion: 0 | 1): boolean {
  // An HTTP/1.0 client would mistake the interim response for the final one (RFC 9110, 10.1.1).
  if (expect === null || minorVersion === 0) return false;
  if (expect.toLowerCase() !== "100-continue") {
    throw new HttpError(417, `Expectation is not supported: ${expect}`);
  }
  return true;
}
