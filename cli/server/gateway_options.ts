/** What the services that pass connections on have in common: options, and their log. @module */
import { formatDuration } from "../../internal/duration.ts";
import { UsageError } from "../terminal/exit.ts";
import { NETWORK_NOTATION, parseNetwork } from "../../socket/address.ts";
import { choice, custom, duration, flag, text } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import type { GatewayOptions, Passed } from "../../services/proxy/gateway.ts";
import { plural } from "../../internal/plural.ts";
import { formatAddress, type Network } from "../../socket/network.ts";
import { securedNetwork } from "../../tls/lazy.ts";
import { systemNetwork } from "../../socket/tcp.ts";
import { readAuthority } from "../shared/pem.ts";
import {
  closing,
  connectionOptions,
  type ConnectionValues,
  listenOptions,
  type ServiceHost,
} from "./service_command.ts";

/** The options of proxy and balancer. */
export const gatewayOptions = {
  connectTimeout: duration({ help: "Longest time to connect to a backend", default: 5000 }),
  proxyIn: custom(parseNetwork, {
    help:
      "Take connections from this address or network alone, each with a PROXY protocol header; --allow and --deny " +
      "judge the client it names",
    accepts: NETWORK_NOTATION,
    placeholder: "NET",
    repeatable: true,
  }),
  proxyOut: choice(["v1", "v2"], { help: "Send backends a PROXY protocol header of this version" }),
  toTls: flag({ help: "Speak TLS with backends; without it they are spoken to in plain text" }),
  toTlsCa: text({
    help: "Trust the authority in this file (PEM) to vouch for backends",
    placeholder: "FILE",
    defaultText: "those that come with the program",
  }),
  ...connectionOptions,
};

type GatewayValues = Values<typeof gatewayOptions> & ConnectionValues;

/**
 * What these options mean to a gateway. Each connection that has ended is logged, with its bytes both ways.
 *
 * @throws {UsageError} If an authority is given without TLS; and as {@linkcode listenOptions} does.
 * @throws {ExitError} If the file of the authority cannot be read or used.
 */
export async function passOptions(values: GatewayValues, host: ServiceHost): Promise<GatewayOptions> {
  const { log } = host;
  const { connectTimeout, proxyIn, proxyOut } = values;
  const listen = await listenOptions(values, host);
  return {
    ...listen,
    onClosed: (connection, reason) => {
      // `onPassed` tells of any other end.
      if (reason.type === "handler-failed") listen.onClosed(connection, reason);
    },
    connectTimeout,
    backendNetwork: await backendNetwork(values),
    ...(proxyIn.length > 0 ? { proxyIn } : {}),
    ...(proxyOut === undefined ? {} : { proxyOut: proxyOut === "v1" ? 1 : 2 }),
    ...(values.quiet ? {} : { onPassed: (passed) => log.info(describe(passed)) }),
  };
}

async function backendNetwork({ toTls, toTlsCa }: GatewayValues): Promise<Network> {
  if (!toTls) {
    if (toTlsCa !== undefined) throw new UsageError("Option --to-tls-ca goes with --to-tls");
    return systemNetwork;
  }
  return await securedNetwork(
    systemNetwork,
    toTlsCa === undefined ? {} : { ca: await readAuthority(toTlsCa) },
  );
}

function describe(
  { source, backend, bytesFromClient, bytesFromBackend, durationMs, reason }: Passed,
): string {
  const way = backend === undefined ? "no backend" : `to ${formatAddress(backend)}`;
  return `${closing(source, reason)}; ${way}, ${
    plural(bytesFromClient, "byte")
  } there, ${bytesFromBackend} back, ` +
    formatDuration(Math.round(durationMs));
}
