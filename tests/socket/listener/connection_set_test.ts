import { assertEquals } from "@std/assert";
import { ConnectionSet } from "../../../socket/listener/connection_set.ts";
import { connect, type Connection } from "../../../socket/mod.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";

const permissions = "none";

Deno.test("ConnectionSet keeps no count for an address when its last connection has ended", {
  permissions,
}, async () => {
  const world = new Simulation();
  await using server = world.relay();
  const set = new ConnectionSet<string>({
    maxConnections: 0,
    maxConnectionsPerIp: 2,
    mayConnect: () => true,
  });
  const dial = (): Promise<Connection> => world.clock.runUntil(connect({ ...world.seam, port: server.port }));
  const [one, two] = [await dial(), await dial()];
  assertEquals([set.countedAddresses, set.refusal("127.0.0.1")], [0, undefined]);
  set.add(one);
  set.add(two);
  assertEquals([set.countedAddresses, set.refusal("127.0.0.1")?.limit], [1, "max-connections-per-ip"]);
  set.remove(one, { type: "natural" });
  assertEquals([set.countedAddresses, set.refusal("127.0.0.1")], [1, undefined]);
  set.remove(two, { type: "natural" });
  assertEquals(set.countedAddresses, 0);
  for (const peer of [one, two]) peer.abort();
});
