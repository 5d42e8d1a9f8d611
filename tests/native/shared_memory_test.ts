/** Reads of all connections share memory: none may see bytes of another. */
import { assertEquals } from "@std/assert";
import { startBalance, startEcho, startProxy } from "../../services/mod.ts";
import type { Transport } from "../../socket/mod.ts";
import { foreign, network as maybeNetwork } from "../_util/native/native.ts";

const network = maybeNetwork!;
const CLIENTS = 40;
const ROUNDS = 20;
const SIZE = 3000;

/** Sends rounds of a line of one byte value, and returns every value that comes back. */
async function valuesBack(transport: Transport, value: number): Promise<Set<number>> {
  const values = new Set<number>();
  const line = new Uint8Array(SIZE).fill(value);
  line[SIZE - 1] = 10;
  const buffer = new Uint8Array(SIZE);
  for (let round = 0; round < ROUNDS; round++) {
    for (let sent = 0; sent < SIZE;) sent += await transport.write(line.subarray(sent));
    for (let left = SIZE; left > 0;) {
      const count = await transport.read(buffer.subarray(0, left)) ?? 0;
      for (const byte of buffer.subarray(0, count)) values.add(byte);
      left -= count;
    }
  }
  return values;
}

Deno.test(
  "startProxy() and startBalance() mix up no bytes of concurrent connections on native sockets",
  foreign,
  async () => {
    await using echo = startEcho({ network });
    const to = { hostname: "127.0.0.1", port: echo.port };
    for (const start of ["echo", "proxy", "balance"] as const) {
      await using gateway = start === "echo"
        ? undefined
        : start === "proxy"
        ? startProxy({ network, backendNetwork: network, to })
        : startBalance({ network, backendNetwork: network, to: [to], checkInterval: 60_000 });
      const port = gateway?.port ?? echo.port;
      const clients = await Promise.all(Array.from({ length: CLIENTS }, () => network.connect({ port })));
      const values = await Promise.all(clients.map((client, index) => valuesBack(client, 65 + index)));
      for (const client of clients) client.close();
      assertEquals(values.map((each) => [...each]), clients.map((_, index) => [65 + index, 10]), start);
    }
  },
);
