/** `client.ts http`, an HTTP client. @module */
import type { ExitCode } from "../../terminal/exit.ts";
import { custom, flag, group, text } from "../../args/option.ts";
import { quoted } from "../../../internal/printable.ts";
import { HTTP_ALPN } from "../../../http/grammar.ts";
import { type CommandInput, outputOptions, type ServiceClient, timeoutOption } from "../client_command.ts";
import { clientNetwork, tlsClientOptions } from "../tls_options.ts";

/** A header of a request. */
type Field = readonly [name: string, value: string];

const FIELD_NOTATION = "NAME: VALUE";

const options = {
  ...group("Request", {
    header: custom(parseField, {
      help: "Header of the request",
      accepts: FIELD_NOTATION,
      placeholder: "FIELD",
      repeatable: true,
    }),
    data: text({ help: "Body of the request", empty: true }),
  }),
  timeout: timeoutOption,
  ...tlsClientOptions,
  ...group("TLS", { tls: flag({ help: "Use TLS for an http: URL too" }) }),
  ...group("Output", { head: flag({ help: "Omit status and headers", default: true }) }),
  ...outputOptions,
};

const positionals = {
  method: custom(parseMethod, {
    help: "GET, HEAD, POST, PUT, DELETE, or another method",
    accepts: "a method such as GET",
    placeholder: "METHOD",
    required: true,
  }),
  url: text({
    help: "http: or https: URL; redirects are not followed",
    required: true,
    example: "http://127.0.0.1:8890/time",
  }),
};

/** The command. */
export const http = {
  summary: "Send an HTTP request, and print status, headers, and body",
  positionals,
  options,
  instead: {
    host: "name the host in the URL, as in http://127.0.0.1:8890/",
    port: "name the port in the URL, as in http://127.0.0.1:8890/",
  },
  examples: [
    ["http GET http://127.0.0.1:8890/time", "Ask the http service for the time"],
    [
      `http POST http://127.0.0.1:8890/items --header "Content-Type: application/json" --data '"a thing"'`,
      "Add an item to its store",
    ],
  ],
  async run(
    { options: values, positionals: words }: CommandInput<typeof options, typeof positionals>,
  ): Promise<ExitCode> {
    const { printResponse } = await import("../http_output.ts");
    const { header, data, timeout, json, head } = values;
    const { method } = words;
    const url = words.url.replace(/^http:/i, values.tls ? "https:" : "http:");
    const tls = /^https:/i.test(url);
    const network = await clientNetwork({ ...values, tls }, { alpn: HTTP_ALPN });
    const request = {
      method,
      headers: header.map(([name, value]) => [name, value]),
      timeout,
      network,
      ...(data === undefined ? {} : { body: data }),
    };
    return await printResponse(url, { request, json, head });
  },
} as const satisfies ServiceClient;

function parseMethod(word: string): string {
  if (!word.includes("://")) return word;
  throw new RangeError(`Expected a method before the URL, as in GET ${word}`);
}

function parseField(text: string): Field {
  const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new RangeError(`Expected ${FIELD_NOTATION}, got ${quoted(text)}`);
  }
  return [name, value];
}
