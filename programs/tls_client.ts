/** The options by which a client speaks TLS, and shows a token. @module */
import { ExitError, UsageError } from "../cli/exit.ts";
import { flag, text } from "../cli/option.ts";
import type { Values } from "../cli/program.ts";
import type { Network } from "../socket/network.ts";
import { systemNetwork } from "../socket/system.ts";
import { readPem } from "./guard_options.ts";

/** Of every client of a service with connections. */
export const tlsClientOptions = {
  tls: flag({ help: "Speak TLS with the server" }),
  tlsCa: text({
    help: "Trust the authority in this file (PEM)",
    placeholder: "FILE",
    defaultText: "those that come with the program",
  }),
  tlsCert: text({ help: "Show the server this certificate (PEM)", placeholder: "FILE" }),
  tlsKey: text({ help: "Its private key (PEM)", placeholder: "FILE" }),
};

/** Of the clients of services that a token can guard. */
export const tokenOption = {
  token: text({
    help: "Show the server this token first",
    placeholder: "TOKEN",
    environment: "OKLINE_TOKEN",
  }),
};

/**
 * The network that these options ask for.
 *
 * @throws {UsageError} If one of the TLS options comes without `--tls`, or the certificate without its key.
 * @throws {ExitError} If a file cannot be read or used.
 */
export async function clientNetwork(values: Values<typeof tlsClientOptions>): Promise<Network> {
  const { tls, tlsCa, tlsCert, tlsKey } = values;
  if (!tls) {
    if ((tlsCa ?? tlsCert ?? tlsKey) !== undefined) {
      throw new UsageError("Options --tls-ca, --tls-cert and --tls-key go with --tls");
    }
    return systemNetwork;
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError("A certificate needs both --tls-cert and --tls-key");
  }
  const { TlsNetwork } = await import("../socket/tls.ts");
  try {
    return new TlsNetwork(systemNetwork, {
      client: {
        ...(tlsCa === undefined ? {} : { ca: await readPem(tlsCa) }),
        ...(tlsCert === undefined || tlsKey === undefined
          ? {}
          : { identity: { certificate: await readPem(tlsCert), key: await readPem(tlsKey) } }),
      },
    });
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== "TlsError") throw cause;
    throw new ExitError(`Cannot speak TLS: ${cause.message}`, { cause });
  }
}
