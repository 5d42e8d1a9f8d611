/** The options and the log of services that forward connections. @module */
import { formatDuration } from "../../internal/duration.ts";
import { UsageError } from "../terminal/exit.ts";
import type { Log } from "../terminal/log.ts";
import { NETWORK_NOTATION, parseNetwork } from "../../socket/address.ts";
import { choice, custom, duration, flag, group, text } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import type { GatewayOptions, Passed } from "../../services/proxy/gateway.ts";
import { plural } from "../../internal/plural.ts";
import { printable } from "../../internal/printable.ts";
import { formatAddress, type Network } from "../../socket/network.ts";
import { securedNetwork } from "../../tls/lazy.ts";
import { readAuthority } from "../shared/pem.ts";
import { transportNetwork } from "../shared/transport_option.ts";
import type { ServiceHost } from "./service_command.ts";
import { closing } from "./listener_log.ts";
import { connectionOptions, type ConnectionValues, listenOptions } from "./service_options.ts";

/** The backends of a proxy or balancer. */
export const backendOptions = {
  connectTimeout: duration({ help: "Longest time to connect to a backend", default: 5000 }),
  proxyOut: choice(["v1", "v2"], { help: "Version of the PROXY protocol header for backends" }),
  toTls: flag({ help: "Connect to backends over TLS" }),
  toTlsCa: text({
    help: "Certificate authority (PEM) for backends",
    placeholder: "FILE",
    defaultText: "those built in",
  }),
};

/** The options of proxy and balancer, in addition to {@linkcode backendOptions}. */
export const gatewayOptions = {
  ...connectionOptions,
  ...group("Access", {
    proxyIn: custom(parseNetwork, {
      help: "Accept only proxies from this network, which must send PROXY protocol headers",
      accepts: NETWORK_NOTATION,
      placeholder: "NET",
      repeatable: true,
    }),
  }),
};

type GatewayValues = Values<typeof backendOptions & typeof gatewayOptions> & ConnectionValues;

/**
 * Converts these options to those of a gateway. It logs the end of each connection, with the bytes of both directions.
 *
 * @throws {UsageError} If an authority is given without TLS, in addition to the errors of {@linkcode listenOptions}.
 * @throws {ExitError} If the authority's file cannot be read or used.
 */
export async function passOptions(values: GatewayValues, host: ServiceHost): Promise<GatewayOptions> {
  const { log, monitor } = host;
  const { connectTimeout, proxyIn, proxyOut } = values;
  const listen = await listenOptions(values, host);
  return {
    ...listen,
    onEvent: (event) => {
      if (event.type === "passed") {
        if (log.writes("info")) logPassed(log, event.passed);
      } else if (event.type === "closed") {
        monitor?.closed(event.connection, event.reason); // `passed` logs it.
      } else {
        listen.onEvent(event);
      }
    },
    timeouts: { ...listen.timeouts, connect: connectTimeout },
    backendNetwork: await backendNetwork(values),
    ...(proxyIn.length > 0 ? { proxyIn } : {}),
    ...(proxyOut === undefined ? {} : { proxyOut: proxyOut === "v1" ? 1 : 2 }),
  };
}

async function backendNetwork({ toTls, toTlsCa, transport }: GatewayValues): Promise<Network> {
  if (!toTls) {
    if (toTlsCa !== undefined) throw new UsageError("Cannot use --to-tls-ca without --to-tls");
    return await transportNetwork(transport);
  }
  return await securedNetwork(
    await transportNetwork(transport),
    toTlsCa === undefined ? {} : { ca: await readAuthority(toTlsCa) },
  );
}

function logPassed(log: Log, passed: Passed): void {
  const { source, backend, bytesFromClient, bytesFromBackend, durationMs, reason } = passed;
  log.access("{text}", {
    event: "passed",
    peer: printable(formatAddress(source)),
    backend: backend === undefined ? null : formatAddress(backend),
    bytesFromClient,
    bytesFromBackend,
    durationMs: Math.round(durationMs),
    reason: reason.type,
    text: describe(passed),
  });
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
