/** The transport contract over Unix sockets. */
import { type Network, unixAddress } from "../../../socket/network.ts";

/** Returns a network whose ports are Unix sockets in a folder, for tests that think in ports. */
export function unixNetwork(folder: string, below: Network): Network {
  let last = 0;
  const hostname = (port: number) => unixAddress(`${folder}/${port}`).hostname;
  return {
    listen() {
      const port = ++last;
      const listener = below.listen({ hostname: hostname(port), port: 0 });
      return {
        address: { ...listener.address, port },
        accept: () => listener.accept(),
        close: () => listener.close(),
      };
    },
    connect: ({ port, ...options }) => below.connect({ ...options, hostname: hostname(port), port: 0 }),
  };
}

/** A Unix socket knows at once that its peer has closed, and resets input that was not read. Clients have no address. */
export const UNIX_DIFFERENCES: ReadonlySet<string> = new Set([
  "Transport.local and remote mirror each other",
  "Transport.write() to a closed peer works once, then the pipe is broken",
  "Transport.close() with unread input is FIN to the reader and a broken pipe to the writer",
  "Transport.close() of a peer that owes reading fails the write that waits",
]);
