/** A response of HTTP as `client.ts` prints it. @module */
import { ExitCode, ExitError, UsageError } from "../terminal/exit.ts";
import { Log, writeBytes, writeLine } from "../terminal/log.ts";
import { printable } from "../../internal/printable.ts";
import { HttpResponseError } from "../../http/response_parser.ts";
import { type HttpRequestOptions, type HttpResponse, requestHttp } from "../../services/http/client.ts";

/** What to ask, and what to print of the answer. */
export interface PrintOptions {
  readonly request: HttpRequestOptions;
  readonly json: boolean;
  /** Print status and headers, too; machine output has them always. */
  readonly head: boolean;
}

/**
 * Sends a request and prints what comes: the body as it is, but on a terminal, where characters that act on it are
 * spelt out.
 *
 * @returns {@linkcode ExitCode.ok} for whatever status.
 * @throws {UsageError} If the request cannot be sent.
 * @throws {ExitError} If what comes is no response.
 */
export async function printResponse(url: string, options: PrintOptions): Promise<ExitCode> {
  try {
    await using response = await ask(url, options.request);
    if (options.json) await printJson(response);
    else await printText(response, options.head);
    return ExitCode.ok;
  } catch (cause) {
    if (!(cause instanceof HttpResponseError)) throw cause;
    throw new ExitError(`No HTTP response to be used: ${printable(cause.message)}`, { cause });
  }
}

async function ask(url: string, request: HttpRequestOptions): Promise<HttpResponse> {
  try {
    return await requestHttp(url, request);
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
    headers: Object.fromEntries(headers),
    body,
  });
}

/** A body as text. */
export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of body) text += decoder.decode(bytes, { stream: true });
  return text + decoder.decode();
}
