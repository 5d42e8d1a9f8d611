/** The options that protect a service: limits, timeouts, and access. @module */
import { NETWORK_NOTATION, parseNetwork } from "../../socket/address.ts";
import { choice, custom, duration, group, integer } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import type { PeerAuth } from "../../access/authenticate.ts";
import type { ListenOptions } from "../../socket/listen.ts";
import { serverNetwork, type TlsServerContext, type tlsServerOptions } from "./tls_options.ts";
import type { guardTokenOption } from "../shared/token_option.ts";
import type { transportOption } from "../shared/transport_option.ts";
import type { inheritOption } from "./inherited_sockets.ts";

/** Limits of accepting. */
export const limitOptions = {
  whenFull: choice(["refuse", "wait"], {
    help: "Refuse peers over --max-connections, or let them wait",
    default: "refuse",
  }),
  acceptRate: integer({ help: "Limit of accepted connections per second; 0 disables", default: 0, min: 0 }),
};

/** Timeouts of slow peers. */
export const timeoutOptions = {
  firstLineTimeout: duration({ help: "Close connections without a first line; 0 disables", default: 0 }),
  writeTimeout: duration({ help: "Close connections that stop reading; 0 disables", default: 0 }),
};

const network = { accepts: NETWORK_NOTATION, placeholder: "NET", repeatable: true } as const;

/** Addresses of peers. */
export const accessOptions = group("Access", {
  allow: custom(parseNetwork, { help: "Accept only this address or network", ...network }),
  deny: custom(parseNetwork, { help: "Refuse this address or network", ...network }),
});

type GuardValues = Values<
  & typeof limitOptions
  & typeof timeoutOptions
  & typeof accessOptions
  & typeof tlsServerOptions
  & typeof transportOption
  & typeof inheritOption
>;

type GuardListenOptions =
  & Required<Pick<ListenOptions<never>, "limits" | "timeouts" | "access">>
  & Pick<ListenOptions<never>, "network" | "tls">;

/**
 * Converts these options to those of a listener. Code that takes time to load is loaded only if an option needs it.
 *
 * @throws The errors of {@linkcode serverNetwork}.
 */
export async function guardListenOptions(
  values: GuardValues,
  context: TlsServerContext,
): Promise<GuardListenOptions> {
  const { whenFull, acceptRate, firstLineTimeout, writeTimeout, allow, deny } = values;
  const { addressCheck } = allow.length + deny.length > 0
    ? await import("../../access/address_list.ts")
    : { addressCheck: undefined };
  return {
    limits: { whenFull, maxAcceptRate: acceptRate },
    timeouts: { firstFrame: firstLineTimeout, write: writeTimeout },
    access: addressCheck === undefined
      ? {}
      : { mayConnect: addressCheck({ deny, ...(allow.length > 0 ? { allow } : {}) }) },
    ...(await serverNetwork(values, context)),
  };
}

/** Converts `--token` to the authentication of a service. */
export async function authOf({ token }: Values<typeof guardTokenOption>): Promise<{ auth?: PeerAuth }> {
  if (token === undefined) return {};
  const { tokenCheck } = await import("../../access/token.ts");
  return { auth: { isToken: tokenCheck(token) } };
}
