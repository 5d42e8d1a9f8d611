/** Access by address lists behind trusted proxies. */
import { assertEquals } from "@std/assert";
import { addressCheck, type AddressLists } from "../../../access/address_list.ts";
import { startBalance } from "../../../services/balance/service.ts";
import { startEcho } from "../../../services/echo/service.ts";
import { startProxy } from "../../../services/proxy/service.ts";
import type { Passed } from "../../../services/proxy/gateway.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { talk } from "../../_util/network/exchange.ts";
import { pure } from "../../_util/permissions.ts";
import { on } from "../../_util/on_event.ts";

const FROM_FAR = "PROXY TCP4 203.0.113.7 198.51.100.1 1234 80\r\n";

/** Sends `hello` after a PROXY header to an echo behind a gateway, and returns the answer. */
async function answer(
  start: typeof startProxy | typeof startBalance,
  header: string,
  options: { readonly lists?: AddressLists; readonly proxyIn?: readonly string[] } = {},
): Promise<{ readonly heard: string; readonly passed: readonly Passed[] }> {
  await using echo = startEcho();
  const backend = { hostname: "127.0.0.1", port: echo.port };
  const passed: Passed[] = [];
  const shared = {
    proxyIn: options.proxyIn ?? ["127.0.0.0/8"],
    ...(options.lists && { access: { mayConnect: addressCheck(options.lists) } }),
    onEvent: on("passed", ({ passed: one }) => void passed.push(one)),
  };
  await using gateway = start === startProxy
    ? startProxy({ to: backend, ...shared })
    : startBalance({ to: [backend], ...shared });
  const heard = await say(gateway.port, `${header}hello\n`).catch(() => "");
  await gateway.until((stats) => stats.connections === 0);
  return { heard, passed };
}

/** Sends a text and a FIN, and returns the answer. Rejects if the connection is reset. */
async function say(port: number, text: string): Promise<string> {
  await using client = await talk(port);
  await client.send(text);
  await client.connection.closeWrite();
  return await client.rest();
}

Deno.test("startProxy() and startBalance() apply their address lists to the client that a trusted proxy names", async () => {
  const cases: [header: string, lists: AddressLists, heard: string][] = [
    [FROM_FAR, { deny: ["203.0.113.0/24"] }, ""],
    [FROM_FAR, { deny: ["127.0.0.1"] }, "hello\n"],
    [FROM_FAR, { allow: ["203.0.113.0/24"] }, "hello\n"],
    [FROM_FAR, { allow: ["127.0.0.1"] }, ""],
    ["PROXY TCP6 ::ffff:203.0.113.7 ::1 1234 80\r\n", { deny: ["203.0.113.7"] }, ""],
    // Without a client's address, the lists apply to the proxy.
    ["PROXY UNKNOWN\r\n", { deny: ["203.0.113.0/24"] }, "hello\n"],
    ["PROXY UNKNOWN\r\n", { allow: ["203.0.113.0/24"] }, ""],
  ];
  for (const start of [startProxy, startBalance]) {
    for (const [header, lists, expected] of cases) {
      const { heard, passed } = await answer(start, header, { lists });
      assertEquals(heard, expected, `${header} ${JSON.stringify(lists)}`);
      assertEquals(passed.length, 1);
      if (expected === "") {
        assertEquals(passed[0]!.reason, { type: "unauthorized", why: "Client's address is not allowed" });
        assertEquals(passed[0]!.backend, undefined);
      }
    }
  }
});

Deno.test("startProxy() refuses every proxy when `proxyIn` is empty", async () => {
  const { heard, passed } = await answer(startProxy, FROM_FAR, { proxyIn: [] });
  assertEquals([heard, passed[0]!.reason], ["", {
    type: "unauthorized",
    why: "Client is not a trusted proxy",
  }]);
});

Deno.test(
  "startProxy() closes a proxy whose header is incomplete after five seconds",
  pure,
  async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const passed: Passed[] = [];
    const proxy = startProxy({
      ...{ network, clock, port: 8000, to: { hostname: "127.0.0.1", port: 1 }, proxyIn: ["127.0.0.1"] },
      onEvent: on("passed", ({ passed: one }) => passed.push(one)),
    });
    const client = await clock.runUntil(talk(8000, { network, clock }));
    const begun = clock.now();
    client.connection.send(new TextEncoder().encode("PROXY TCP4 203.0.113.7 "));
    assertEquals(await clock.runUntil(client.rest().catch(() => "")), "");
    assertEquals(clock.now() - begun, 5000);
    client.connection.abort();
    await clock.runUntil(proxy.close());
    assertEquals(passed.map(({ reason }) => reason), [{ type: "timeout", which: "PROXY header", ms: 5000 }]);
  },
);
