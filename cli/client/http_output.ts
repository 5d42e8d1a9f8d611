/** Prints an HTTP response. @module */
import { ExitCode, ExitError, UsageError } from "../terminal/exit.ts";
import { Log } from "../terminal/log.ts";
import { writeBytes, writeLine, writeText } from "../terminal/write.ts";
import { printable } from "../../internal/printable.ts";
import { formatSize } from "../../internal/size.ts";
import { HttpResponseError } from "../../http/response_parser.ts";
import { type HttpRequestOptions, type HttpResponse, requestHttp } from "../../services/http/client.ts";

/** Options for {@linkcode printResponse}. */
export interface PrintOptions {
  readonly request: HttpRequestOptions;
  readonly json: boolean;
  /** Whether to print status and headers. JSON output always has them. */
  readonly head: boolean;
}

// A body that becomes one string needs a limit below that of the runtime, also when JSON escapes every character.
const MAX_TEXT = 64 * 1024 * 1024;
/** Longest part of a line that a terminal does not show yet, in UTF-16 units. */
const MAX_PARTIAL_LINE = 64 * 1024;

/**
 * Sends a request and prints the response. The body is printed unchanged, except on a terminal, where control characters
 * are escaped.
 *
 * @returns {@linkcode ExitCode.ok} for every status.
 * @throws {UsageError} If the request cannot be sent.
 * @throws {ExitError} If the server does not send a response, or one that cannot be printed.
 */
export async function printResponse(url: string, options: PrintOptions): Promise<ExitCode> {
  try {
    await using response = await request(url, options.request);
    if (options.json) await printJson(response);
    else await printText(response, options.head);
    return ExitCode.ok;
  } catch (cause) {
    if (!(cause instanceof HttpResponseError)) throw cause;
    throw new ExitError(`Cannot use the HTTP response: ${printable(cause.message)}`, { cause });
  }
}

async function request(url: string, options: HttpRequestOptions): Promise<HttpResponse> {
  try {
    return await requestHttp(url, options);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new UsageError(cause.message, { cause });
  }
}

async function printText(response: HttpResponse, head: boolean): Promise<void> {
  const { minorVersion, status, reason, headers } = response;
  if (head) {
    writeLine(Deno.stdout, `HTTP/1.${minorVersion} ${status} ${printable(reason)}`);
    for (const [name, value] of headers) writeLine(Deno.stdout, `${name}: ${printable(value, Infinity)}`);
    writeLine(Deno.stdout, "");
  }
  if (Deno.stdout.isTerminal()) return await printOnTerminal(response.body);
  for await (const bytes of response.body) writeBytes(Deno.stdout, bytes);
}

async function printOnTerminal(body: AsyncIterable<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  let line = "";
  const print = (text: string): void => writeLine(Deno.stdout, printable(text, Infinity));
  for await (const bytes of body) {
    const [first = "", ...rest] = decoder.decode(bytes, { stream: true }).split(/\r?\n/);
    line += first;
    for (const next of rest) {
      print(line);
      line = next;
    }
    // A body without lines must not fill the memory. A last CR may belong to a line end.
    if (line.length > MAX_PARTIAL_LINE && !line.endsWith("\r")) {
      writeText(Deno.stdout, printable(line, Infinity));
      line = "";
    }
  }
  line += decoder.decode();
  if (line !== "") print(line);
}

async function printJson(response: HttpResponse): Promise<void> {
  const { status, reason, headers } = response;
  const body = await textOf(response.body);
  new Log({ json: true, quiet: true }).result("", {
    event: "response",
    status,
    reason,
    headers: headersAsJson(headers),
    body,
  });
}

/**
 * Returns headers by name. Several of one name are one value, separated by commas; only cookies cannot be joined, and are
 * always an array.
 */
export function headersAsJson(headers: Headers): Readonly<Record<string, string | readonly string[]>> {
  const cookies = headers.getSetCookie();
  return { ...Object.fromEntries(headers), ...(cookies.length === 0 ? {} : { "set-cookie": cookies }) };
}

/**
 * Returns a body as text.
 *
 * @throws {HttpResponseError} If it is over 64 MiB.
 */
export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const bytes of body) {
    size += bytes.length;
    if (size > MAX_TEXT) throw new HttpResponseError(`Body is over ${formatSize(MAX_TEXT)}`);
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}
