/** `client.ts relay`, clients of a relay. @module */
import type { Context } from "../../run_program.ts";
import { ExitCode, ExitError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { duration, group, integer, text } from "../../args/option.ts";
import { printable } from "../../../internal/printable.ts";
import { drawReplyDelay, longestReplyDelay } from "../../../loadtest/plan/reply_delay.ts";
import { RelayClient } from "../../../relay/client.ts";
import type { RelayClientResult } from "../../../relay/client_options.ts";
import { plural } from "../../../internal/plural.ts";
import { describeCloseReason } from "../../../socket/errors.ts";
import { adviseWithoutServer } from "../../shared/no_server.ts";
import { replyDelayOption } from "../../shared/reply_delay_option.ts";
import type { Values } from "../../args/program.ts";
import {
  type CommandInput,
  DEFAULT_HOST,
  outputOptions,
  serverOptions,
  type ServiceClient,
} from "../client_command.ts";
import { clientNetwork, tlsClientOptions } from "../tls_options.ts";
import { showTokenOption } from "../../shared/token_option.ts";

const options = {
  ...group("Relay", {
    clients: integer({ help: "Number of clients", default: 10, min: 1, environment: "CLIENT_COUNT" }),
    message: text({ help: "Message of each client", empty: true, defaultText: "a different one each" }),
    timeout: duration({
      help: "Time without an ok before a client reconnects and resends",
      default: 10_000,
      environment: "SESSION_TIME",
    }),
    ...replyDelayOption,
    linger: duration({
      help: "Longest time to send pending replies after a client's ok",
      defaultText: "the longest reply delay",
    }),
    maxAttempts: integer({
      help: "Limit of attempts per client. Without it, clients try until the server is up",
      min: 1,
      defaultText: "unlimited",
    }),
  }),
  ...serverOptions(8000),
  ...tlsClientOptions,
  ...showTokenOption,
  ...outputOptions,
};

/** The command. */
export const relay = {
  summary: "Send messages through a relay, and reply to those received",
  options,
  examples: [
    ["--clients 3", "Three clients with different messages"],
    ["relay --message hello --reply-delay uniform:0s-2s", "Ten clients that wait before they reply"],
  ],
  async run({ options: values }: CommandInput<typeof options>, { onSignal }: Context): Promise<ExitCode> {
    const { results, dials, interrupted } = await runClients(values, onSignal);
    // All clients connect to one address, so all lack the same permission.
    const denied = results.find(({ error }) => error?.cause instanceof Deno.errors.NotCapable)?.error;
    if (denied !== undefined) throw new ExitError(denied.message, { cause: denied });
    summarize(results, { ...dials, log: new Log({ json: values.json }) });
    if (interrupted) return ExitCode.interrupted;
    return results.every((result) => result.acknowledged) ? ExitCode.ok : ExitCode.failure;
  },
} as const satisfies ServiceClient;

/** The results of the clients, and the counts of their attempts to connect. */
interface ClientsResult {
  readonly results: readonly RelayClientResult[];
  readonly dials: { readonly reconnects: number; readonly refused: number };
  /** Whether a signal has stopped them. */
  readonly interrupted: boolean;
}

/** Runs the clients until each has its ok or has given up, and logs what they do. */
async function runClients(
  values: Values<typeof options>,
  onSignal: Context["onSignal"],
): Promise<ClientsResult> {
  const { startStructuredLog } = await import("../../terminal/structured_log.ts");
  // Clients of a server that is down retry forever, so what they report is limited.
  using writer = startStructuredLog({ program: "client", format: "text", level: "info" });
  const log = new Log({ json: values.json, writer });
  const serverOption = values.host === DEFAULT_HOST ? "--port" : "--host or --port";
  let advised = false;
  const { replyDelay, token } = values;
  const network = await clientNetwork(values);
  let interrupted = false;
  const dials = { reconnects: 0, refused: 0 };
  const clients = Array.from({ length: values.clients }, (_, index) => {
    const client = index + 1;
    const message = values.message ?? `hello from client ${client}`;
    let begun = performance.now();
    let attempts = 0;
    let connections = 0;
    let acknowledged = false;
    // A template of its own, so that failed retries do not hide the last failures.
    const again = (): string =>
      acknowledged || interrupted || attempts === values.maxAttempts ? "" : "; trying again";
    return new RelayClient({
      hostname: values.host,
      port: values.port,
      network,
      ...(token === undefined ? {} : { token }),
      text: message,
      timeouts: {
        ack: values.timeout,
        ...(values.linger === undefined ? {} : { linger: values.linger }),
      },
      limits: values.maxAttempts === undefined ? {} : { maxAttempts: values.maxAttempts },
      replyDelay: {
        draw: () => drawReplyDelay(replyDelay, Math.random),
        longest: longestReplyDelay(replyDelay),
      },
      observer: {
        dialing: (attempt) => {
          attempts = attempt;
          if (attempt === 1) begun = performance.now();
        },
        connected: () => {
          advised = true; // There is a server, even if it stops later.
          if (connections++ > 0) dials.reconnects++;
        },
        notConnected: (error) => {
          // A dial canceled by a signal was not refused.
          if (!interrupted) dials.refused++;
          log.warn(`Client {client}: {error}${again()}`, { client, error: error.message });
          const advice = adviseWithoutServer(error.message, serverOption);
          if (advice === undefined || advised) return;
          advised = true;
          log.info(advice);
        },
        complained: (_, error) => {
          if (typeof error === "string") {
            log.warn("Client {client}: the server says {error}", { client, error: printable(error) });
          } else {
            log.warn("Client {client}: the server sent a line that is not a relay's: {error}", {
              client,
              error: printable(error.message),
            });
          }
        },
        acknowledged: (_, text, own) => {
          if (!own) return;
          acknowledged = true;
          const ms = Math.round((performance.now() - begun) * 10) / 10;
          log.result(`client ${client}: ok ${printable(text)} after ${ms} ms`, {
            event: "ack",
            client,
            message: text,
            ms,
          });
        },
        closed: (_, reason) => {
          // The server has reported why it refused the client.
          if (reason.type === "natural" || reason.type === "unauthorized") return;
          const why = reason.type === "local"
            ? reason.why
            : `connection ended, ${describeCloseReason(reason)}`;
          log.warn(`Client {client}: {why}${again()}`, { client, why });
        },
      },
    });
  });
  onSignal(["SIGINT", "SIGTERM"], () => {
    interrupted = true;
    for (const client of clients) client.stop();
  });
  const results = await Promise.all(clients.map((client) => client.run()));
  return { results, dials, interrupted };
}

function summarize(
  results: readonly RelayClientResult[],
  { reconnects, refused, log }: { readonly reconnects: number; readonly refused: number; readonly log: Log },
): void {
  const clients = results.length;
  const acked = results.filter((result) => result.acknowledged).length;
  const natural = results.filter((result) => result.closed?.type === "natural").length;
  const counts = [
    `${acked} of ${clients} acknowledged`,
    `${plural(natural, "connection")} closed naturally`,
    plural(reconnects, "reconnect"),
    ...(refused > 0 ? [`connecting failed ${refused === 1 ? "once" : `${refused} times`}`] : []),
  ];
  log.result(counts.join(", "), { event: "summary", clients, acked, natural, reconnects, refused });
}
