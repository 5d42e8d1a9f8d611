/** The options of every service with connections that keep it safe: who may connect, how fast, for how long, by TLS. @module */
import { NETWORK_NOTATION, parseNetwork } from "../../socket/address.ts";
import { choice, custom, duration, integer } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import type { PeerAuth } from "../../services/service.ts";
import type { ListenOptions } from "../../socket/listener.ts";
import { serverNetwork, type TlsServerContext, tlsServerOptions } from "./tls_options.ts";
import type { guardTokenOption } from "../shared/token_option.ts";

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
  context: TlsServerContext,
): Promise<GuardListenOptions> {
  const { log } = context;
  const { whenFull, acceptRate, firstLineTimeout, writeTimeout, allow, deny } = values;
  const { addressCheck } = allow.length + deny.length > 0
    ? await import("../../access/address_list.ts")
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
    ...(addressCheck === undefined
      ? {}
      : { mayConnect: addressCheck({ deny, ...(allow.length > 0 ? { allow } : {}) }) }),
    ...(await serverNetwork(values, context)),
  };
}

/** What `--token` means to a service. */
export async function authOf({ token }: Values<typeof guardTokenOption>): Promise<{ auth?: PeerAuth }> {
  if (token === undefined) return {};
  const { tokenCheck } = await import("../../access/token.ts");
  return { auth: { isToken: tokenCheck(token) } };
}
