/** The options of every service with connections that keep it safe: who may connect, how fast, for how long, by TLS. @module */
import { NETWORK_NOTATION, parseNetwork } from "../cli/address.ts";
import { UsageError } from "../cli/exit.ts";
import { choice, custom, duration, integer, text } from "../cli/option.ts";
import type { Values } from "../cli/program.ts";
import type { PeerAuth } from "../services/service.ts";
import type { ListenOptions } from "../socket/listener.ts";
import { serverNetwork, type TlsServerContext, tlsServerOptions } from "./tls_server.ts";

const network = { accepts: NETWORK_NOTATION, placeholder: "NET", repeatable: true } as const;

/** See the module. */
export const guardOptions = {
  whenFull: choice(["refuse", "wait"], {
    help: "What becomes of a peer over --max-connections",
    default: "refuse",
  }),
  acceptRate: integer({ help: "Most peers accepted in a second; 0 for no bound", default: 0, min: 0 }),
  firstLineTimeout: duration({
    help: "Close a peer that has sent no line after so long; 0 for never",
    default: 0,
  }),
  writeTimeout: duration({ help: "Close a peer that takes nothing for so long; 0 for never", default: 0 }),
  allow: custom(parseNetwork, { help: "Let only this address or network connect", ...network }),
  deny: custom(parseNetwork, { help: "Let this address or network not connect", ...network }),
  ...tlsServerOptions,
};

/** The option of services that a token can guard. */
export const tokenOptions = {
  token: text({
    help: "Serve only peers whose first line is `auth TOKEN`",
    placeholder: "TOKEN",
    environment: "OKLINE_TOKEN",
  }),
};

type GuardValues = Values<typeof guardOptions>;

type GuardListenOptions = Pick<
  ListenOptions<never>,
  | "whenFull"
  | "maxAcceptRate"
  | "firstFrameTimeout"
  | "writeTimeout"
  | "mayConnect"
  | "network"
  | "onExhausted"
>;

/**
 * What these options mean to a listener. What costs time to load is loaded where it is asked for.
 *
 * @throws As {@linkcode serverNetwork} does.
 */
export async function guardListenOptions(
  values: GuardValues,
  { log, alpn }: TlsServerContext,
): Promise<GuardListenOptions> {
  const { whenFull, acceptRate, firstLineTimeout, writeTimeout, allow, deny } = values;
  const { addressCheck } = allow.length + deny.length > 0
    ? await import("../socket/address_list.ts")
    : { addressCheck: undefined };
  return {
    whenFull,
    maxAcceptRate: acceptRate,
    firstFrameTimeout: firstLineTimeout,
    writeTimeout,
    onExhausted: (exhausted) => {
      if (exhausted) log.warn("Out of descriptors: accepting pauses until there is room");
      else log.info("Accepting again");
    },
    ...(addressCheck === undefined ? {} : { mayConnect: addressCheck({ allow, deny }) }),
    ...(await serverNetwork(values, { log, alpn })),
  };
}

/**
 * What `--token` means to a service.
 *
 * @throws {UsageError} If the token cannot be one; it is not in the message.
 */
export async function authOf(values: Values<typeof tokenOptions>): Promise<{ auth?: PeerAuth }> {
  const { token } = values;
  if (token === undefined) return {};
  const { tokenCheck } = await import("../socket/token.ts");
  try {
    return { auth: { isToken: tokenCheck(token) } };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(`Option --token: ${cause.message}`, { cause });
  }
}
