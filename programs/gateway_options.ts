/** What the services that pass connections on have in common: options, and their log. @module */
import { formatDuration } from "../cli/duration.ts";
import type { Log } from "../cli/log.ts";
import { NETWORK_NOTATION, parseNetwork } from "../cli/address.ts";
import { choice, custom, duration } from "../cli/option.ts";
import type { Values } from "../cli/program.ts";
import type { GatewayOptions, Passed } from "../services/proxy/gateway.ts";
import { formatAddress } from "../socket/network.ts";
import { closing, connectionOptions, type ConnectionValues, listenOptions } from "./service.ts";

/** The options of proxy and balancer. */
export const gatewayOptions = {
  connectTimeout: duration({ help: "Longest time to connect to a backend", default: 5000 }),
  proxyIn: custom(parseNetwork, {
    help: "Take connections from this address or network alone, each with a PROXY protocol header",
    accepts: NETWORK_NOTATION,
    placeholder: "NET",
    repeatable: true,
  }),
  proxyOut: choice(["v1", "v2"], { help: "Send backends a PROXY protocol header of this version" }),
  ...connectionOptions,
};

type GatewayValues = Values<typeof gatewayOptions> & ConnectionValues;

/** What these options mean to a gateway. Each connection that has ended is logged, with its bytes both ways. */
export async function passOptions(values: GatewayValues, log: Log): Promise<GatewayOptions> {
  const { connectTimeout, proxyIn, proxyOut } = values;
  return {
    ...await listenOptions({ ...values, verbose: false }, log),
    connectTimeout,
    ...(proxyIn.length > 0 ? { proxyIn } : {}),
    ...(proxyOut === undefined ? {} : { proxyOut: proxyOut === "v1" ? 1 : 2 }),
    ...(values.quiet ? {} : { onPassed: (passed) => log.info(describe(passed)) }),
  };
}

function describe(
  { source, backend, bytesFromClient, bytesFromBackend, durationMs, reason }: Passed,
): string {
  const way = backend === undefined ? "no backend" : `to ${formatAddress(backend)}`;
  return `${closing(source, reason)}; ${way}, ${bytesFromClient} bytes there, ${bytesFromBackend} back, ` +
    formatDuration(Math.round(durationMs));
}
