/** Request line and header fields, and what follows from them. Pure. @module */
import { isToken, listMembers, parseFieldLine } from "./grammar.ts";
import { HttpError } from "./errors.ts";

/** How the body's end is told. */
export type BodyFraming =
  | { readonly type: "none" }
  | { readonly type: "sized"; readonly length: number }
  | { readonly type: "chunked" };

/** All of a request but its body. */
export interface RequestHead {
  /** Case-sensitive; any token, whether this server knows it or not. */
  readonly method: string;
  /** The target as it came. */
  readonly target: string;
  /** The target's path, still percent-encoded; `*` for the server as a whole. */
  readonly path: string;
  /** What comes after the target's `?`, or an empty string. */
  readonly query: string;
  /** Host and port meant; empty if an HTTP/1.0 client named none. */
  readonly authority: string;
  /** 0 for HTTP/1.0; 1 for HTTP/1.1 and whatever minor version comes after it. */
  readonly minorVersion: 0 | 1;
  readonly headers: Headers;
  readonly body: BodyFraming;
  /** Whether the client would send another request over this connection. */
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
// RFC 3986: a path or query holds these and percent escapes. The brackets, braces and bars that some clients leave
// unescaped are refused: a proxy may well have read them otherwise.
const PATH_AND_QUERY =
  /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*(?:\?(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?$/;
// host [":" port], the host a name, an IPv4 address or an IP literal in brackets; no user, which only misleads.
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::\d{0,5})?$/;
const ABSOLUTE = /^http:\/\/([^/?]*)(.*)$/i;
const DIGITS = /^\d{1,15}$/;

/**
 * The request line, without its CRLF: one space between the parts, no more (RFC 9112, 3).
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
 * Puts a request's head together from its lines and decides where its body ends, which is where each lenience
 * would let two parsers differ.
 *
 * @throws {HttpError} 400, 417, 501: see the messages.
 */
export function parseRequestHead(requestLine: RequestLine, fieldLines: readonly string[]): RequestHead {
  const { method, target, minorVersion } = requestLine;
  const headers = new Headers();
  const hosts: string[] = [];
  const lengths: string[] = [];
  for (const line of fieldLines) {
    const { name, value } = parseFieldLine(line);
    headers.append(name, value);
    // Gathered apart: in `headers` two fields of one name have become one.
    if (name.toLowerCase() === "host") hosts.push(value);
    if (name.toLowerCase() === "content-length") lengths.push(value);
  }
  const body = framing(minorVersion, lengths, headers.get("transfer-encoding"));
  const connection = listMembers(headers.get("connection") ?? "");
  return {
    ...requestLine,
    ...resolveTarget(method, target, hostOf(hosts, minorVersion)),
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
  // Digits alone: no sign, no list, no hexadecimal. Fifteen of them are exact in a number.
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

/** The four forms of RFC 9112, 3.2; in the absolute form the target's own authority counts, not that of Host. */
function resolveTarget(
  method: string,
  target: string,
  host: string,
): Pick<RequestHead, "path" | "query" | "authority"> {
  if (method === "CONNECT") throw new HttpError(501, "CONNECT is not supported: this is no proxy");
  if (target === "*") {
    if (method !== "OPTIONS") throw new HttpError(400, "Target * is for OPTIONS alone");
    return { path: "*", query: "", authority: host };
  }
  const absolute = ABSOLUTE.exec(target);
  const authority = absolute ? absolute[1]! : host;
  if (absolute && !AUTHORITY.test(authority)) {
    throw new HttpError(400, "Target's authority is not a host and a port");
  }
  const rest = absolute ? absolute[2]! : target;
  const pathAndQuery = absolute && !rest.startsWith("/") ? `/${rest}` : rest;
  if (!PATH_AND_QUERY.test(pathAndQuery)) {
    throw new HttpError(400, "Target is not a path, nor an http URL, of valid characters");
  }
  const mark = pathAndQuery.indexOf("?");
  return mark < 0
    ? { path: pathAndQuery, query: "", authority }
    : { path: pathAndQuery.slice(0, mark), query: pathAndQuery.slice(mark + 1), authority };
}

function expectsContinue(expect: string | null, minorVersion: 0 | 1): boolean {
  // An HTTP/1.0 client would take the interim response for the final one (RFC 9110, 10.1.1).
  if (expect === null || minorVersion === 0) return false;
  if (expect.toLowerCase() !== "100-continue") {
    throw new HttpError(417, `Expectation is not supported: ${expect}`);
  }
  return true;
}
