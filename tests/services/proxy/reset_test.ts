/** Resets through a gateway whose sockets can reset. */
import { assertEquals, assertRejects } from "@std/assert";
import { startBalance, startProxy } from "../../../services/mod.ts";
import type { Transport } from "../../../socket/mod.ts";
import { foreign, network } from "../../_util/native/native.ts";

/** Reads until the end, or until the connection fails. */
async function readToEnd(transport: Transport): Promise<void> {
  while (await transport.read(new Uint8Array(1024)) !== null);
}

Deno.test(
  "startProxy() and startBalance() pass a reset on in both directions on native sockets",
  foreign,
  async () => {
    const native = network!;
    for (const start of [startProxy, startBalance]) {
      for (const resets of ["backend", "client"] as const) {
        const listener = native.listen({ port: 0 });
        const to = listener.address;
        await using gateway = start === startProxy
          ? startProxy({ network: native, to })
          : startBalance({ network: native, to: [to], checkInterval: 60_000 });
        const client = await native.connect({ port: gateway.port });
        const backend = await listener.accept();
        await client.write(new TextEncoder().encode("hello"));
        assertEquals(await backend.read(new Uint8Array(10)), 5);
        await backend.write(new TextEncoder().encode("half of an answer"));
        assertEquals(await client.read(new Uint8Array(100)), 17);
        const [broken, other] = resets === "backend" ? [backend, client] : [client, backend];
        broken.reset!();
        await assertRejects(() => readToEnd(other), Deno.errors.ConnectionReset);
        for (const each of [client, backend, listener]) each.close();
      }
    }
  },
);
