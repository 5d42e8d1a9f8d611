/** The options of every service with connections that keep it safe: who may connect, how fast, for how long, by TLS. @module */
import { NETWORK_NOTATION, parseNetwork } from "../cli/address.ts";
import { ExitError, UsageError } from "../cli/exit.ts";
import type { Log } from "../cli/log.ts";
import { choice, custom, duration, integer, text } from "../cli/option.ts";
import { quoted } from "../cli/printable.ts";
import type { Values } from "../cli/program.ts";
import type { PeerAuth } from "../services/service.ts";
import type { ListenOptions } from "../socket/listener.ts";
import { systemNetwork } from "../socket/system.ts";
import type { TlsServerOptions } from "../socket/tls.ts";

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
  tlsCert: text({ help: "Speak TLS with this certificate (PEM)", placeholder: "FILE" }),
  tlsKey: text({ help: "Its private key (PEM); SIGHUP reads both again", placeholder: "FILE" }),
  tlsClientCa: text({ help: "Serve only clients with a certificate of this authority", placeholder: "FILE" }),
  tlsMinVersion: choice(["TLSv1.2", "TLSv1.3"], { help: "Oldest version of TLS", default: "TLSv1.2" }),
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
 * @throws {UsageError} If a certificate comes without its key, or one of the other TLS options without them.
 * @throws {ExitError} If a file cannot be read or used.
 */
export async function guardListenOptions(values: GuardValues, log: Log): Promise<GuardListenOptions> {
  const { whenFull, acceptRate, firstLineTimeout, writeTimeout, allow, deny } = values;
  const { addressCheck } = allow.length + deny.length > 0
    ? await import("../socket/address_list.ts")
    : { addressCheck: undefined };
  const tls = tlsFiles(values);
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
    ...(tls === undefined ? {} : { network: await tlsNetwork(tls, log) }),
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

interface TlsFiles extends Pick<TlsServerOptions, "minVersion"> {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

function tlsFiles(values: GuardValues): TlsFiles | undefined {
  const { tlsCert, tlsKey, tlsClientCa, tlsMinVersion } = values;
  if (tlsCert === undefined && tlsKey === undefined && tlsClientCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UsageError("TLS needs both --tls-cert and --tls-key");
  }
  return { certificate: tlsCert, key: tlsKey, clientCa: tlsClientCa, minVersion: tlsMinVersion };
}

async function tlsNetwork(files: TlsFiles, log: Log): Promise<NonNullable<ListenOptions<never>["network"]>> {
  const { TlsNetwork } = await import("../socket/tls.ts");
  const network = await usable(files, (server) => new TlsNetwork(systemNetwork, { server }));
  // Windows knows the signal, and ends the program by it when a console is closed.
  if (Deno.build.os === "windows") return network;
  Deno.addSignalListener("SIGHUP", () => {
    usable(files, (server) => network.reload(server)).then(
      () => log.info("SIGHUP: read the certificate again"),
      (error: Error) => log.error(`SIGHUP: the old certificate stays: ${error.message}`),
    );
  });
  return network;
}

/** Reads the files and uses them. */
async function usable<Result>(files: TlsFiles, use: (server: TlsServerOptions) => Result): Promise<Result> {
  const [certificate, key, clientCa] = await Promise.all([
    readPem(files.certificate),
    readPem(files.key),
    files.clientCa === undefined ? undefined : readPem(files.clientCa),
  ]);
  const { minVersion } = files;
  try {
    return use({
      identity: { certificate, key },
      ...(clientCa === undefined ? {} : { clientCa }),
      ...(minVersion === undefined ? {} : { minVersion }),
    });
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== "TlsError") throw cause;
    throw new ExitError(`Cannot speak TLS with ${quoted(files.certificate)}: ${cause.message}`, { cause });
  }
}

/** @throws {ExitError} If the file cannot be read. */
export async function readPem(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "no such file" : (cause as Error).message;
    throw new ExitError(`Cannot read ${quoted(file)}: ${why}`, { cause });
  }
}
