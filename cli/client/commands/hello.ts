/** `client.ts hello`, clients of a hello service. @module */
import { ExitCode } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { duration, group, integer } from "../../args/option.ts";
import { printable } from "../../../internal/printable.ts";
import { formatAddress } from "../../../socket/network.ts";
import { HTTP_ALPN } from "../../../http/grammar.ts";
import { type CommandInput, outputOptions, serverOptions, type ServiceClient } from "../client_command.ts";
import { clientNetwork, tlsClientOptions } from "../tls_options.ts";

const options = {
  ...group("Hello", {
    clients: integer({ help: "Number of parallel clients", default: 1, min: 1 }),
    timeout: duration({ help: "Longest time to connect, and to wait for the response", default: 30_000 }),
  }),
  ...serverOptions(1729),
  ...tlsClientOptions,
  ...outputOptions,
};

/** The command. */
export const hello = {
  summary: "Request a greeting, and print it with its latency",
  options,
  examples: [
    ["hello", "One greeting"],
    ["hello --clients 500", "Five hundred clients that wait in parallel"],
  ],
  async run({ options: values }: CommandInput<typeof options>): Promise<ExitCode> {
    const [{ requestHttp }, { textOf }] = await Promise.all([
      import("../../../services/http/client.ts"),
      import("../http_output.ts"),
    ]);
    const { host, port, clients, timeout, json, tls } = values;
    const log = new Log({ json });
    const network = await clientNetwork(values, { alpn: HTTP_ALPN });
    const url = `${tls ? "https" : "http"}://${formatAddress({ hostname: host, port })}/`;
    const greeted = Array.from({ length: clients }, async (_, index) => {
      const client = index + 1;
      const begun = performance.now();
      try {
        await using response = await requestHttp(url, { timeout, network });
        const text = (await textOf(response.body)).trimEnd();
        const ms = Math.round(performance.now() - begun);
        const who = clients > 1 ? `client ${client}: ` : "";
        log.result(`${who}${printable(text)} (status ${response.status}, after ${ms} ms)`, {
          event: "response",
          client,
          status: response.status,
          text,
          ms,
        });
        return response.status === 200;
      } catch (error) {
        // A failed client must not stop the others.
        log.error(`Client ${client}: ${printable(error instanceof Error ? error.message : String(error))}`);
        return false;
      }
    });
    return (await Promise.all(greeted)).every(Boolean) ? ExitCode.ok : ExitCode.failure;
  },
} as const satisfies ServiceClient;
