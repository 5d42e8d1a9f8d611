import { assertEquals } from "@std/assert";
import { TargetAdmin } from "../../../cli/loadtest/target_admin.ts";

Deno.test("TargetAdmin.untilZero() says that the state cannot be read when the admin server is gone", {
  permissions: { net: ["127.0.0.1"] },
}, async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () =>
    Response.json(
      { event: "state", connections: 0, closed: {} },
      { headers: { connection: "close" } },
    ));
  const address = { hostname: "127.0.0.1", port: server.addr.port };
  const admin = await TargetAdmin.reach(address);
  assertEquals((await admin.untilZero()).unread, undefined);
  await server.shutdown();
  const { unread, connections } = await admin.untilZero();
  assertEquals(
    [unread, connections],
    [`its admin server 127.0.0.1:${address.port} does not answer anymore`, null],
  );
});
