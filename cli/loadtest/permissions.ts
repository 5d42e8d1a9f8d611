/** The permissions of a load test, checked before it starts. @module */
import { type Address, formatAddress, unixPath } from "../../socket/network.ts";
import { invocation } from "../shared/invocation.ts";
import { FAIR_IO_VARIABLE, hasFairIo } from "../run_program.ts";
import { ExitError } from "../terminal/exit.ts";

/**
 * Checks that the program may start its processes, connect, and run with fair I/O, because the first of several refused
 * steps would only name itself. Never prompts.
 *
 * @param target The server under test. Default: one that the load test starts, on loopback.
 * @throws {ExitError} If it may not.
 */
export function assertPermissions(target: Address = { hostname: "127.0.0.1", port: 0 }): void {
  const needed: readonly Deno.PermissionDescriptor[] = [
    { name: "run", command: Deno.execPath() },
    ...(unixPath(target.hostname) === undefined ? [netOf(target)] : []),
    ...(hasFairIo() ? [] : FAIR_IO),
  ];
  const missing = needed.filter((descriptor) => Deno.permissions.querySync(descriptor).state !== "granted");
  if (missing.length === 0) return;
  const names = new Intl.ListFormat("en").format(missing.map(({ name }) => `--allow-${name}`));
  throw new ExitError(
    `Cannot start a load test without ${names}: it needs all permissions, as in ${invocation("loadtest")}`,
  );
}

/** Without these, the program could not run with fair I/O, and would lag. */
const FAIR_IO: readonly Deno.PermissionDescriptor[] = [
  { name: "env", variable: FAIR_IO_VARIABLE },
  ...(import.meta.url.startsWith("file:")
    ? [{ name: "read", path: new URL("../../", import.meta.url) } as const]
    : []),
];

function netOf(target: Address): Deno.PermissionDescriptor {
  return { name: "net", host: target.port === 0 ? target.hostname : formatAddress(target) };
}
