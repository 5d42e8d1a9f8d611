/** The limits of proxy and balancer as their options set them: whom they pass on, and how long others wait. */
import { assertEquals } from "@std/assert";
import { connect } from "../../../socket/mod.ts";
import { ServerProcess } from "../../_util/programs/program.ts";

// Waiting for a limit that does not hold times out.
const timeout = 30_000;

for (const service of ["proxy", "balance"]) {
  Deno.test(
    `server.ts ${service} --proxy-out sends the backend the client's address`,
    { timeout },
    async () => {
      await using echo = await ServerProcess.start("echo");
      const to = ["--to", `127.0.0.1:${echo.port}`];
      await using gateway = await ServerProcess.start(service, ...to, "--proxy-out", "v1");
      await using peer = await connect({ port: gateway.port });
      const header = (await peer[Symbol.asyncIterator]().next()).value?.split(" ");
      assertEquals(header?.slice(0, 5), ["PROXY", "TCP4", "127.0.0.1", "127.0.0.1", `${peer.local.port}`]);
    },
  );
}

Deno.test(
  "server.ts balance --max-per-backend and --max-queue refuse one client over the limits",
  { timeout },
  async () => {
    await using echo = await ServerProcess.start("echo");
    const to = ["--to", `127.0.0.1:${echo.port}`, "--queue-timeout", "10m"];
    const limits = ["--max-per-backend", "1", "--max-queue", "0"];
    await using balancer = await ServerProcess.start("balance", ...to, ...limits);
    await using first = await connect({ port: balancer.port });
    first.send("hello");
    assertEquals((await first[Symbol.asyncIterator]().next()).value, "hello");
    await using second = await connect({ port: balancer.port });
    assertEquals(await Array.fromAsync(second), []);
    await balancer.remarked("No backend is available, and the queue is full; no backend");
  },
);

Deno.test("server.ts balance --queue-timeout limits how long a client is queued", { timeout }, async () => {
  await using balancer = await ServerProcess.start(
    "balance",
    "--to",
    "127.0.0.1:1",
    "--queue-timeout",
    "200ms",
  );
  await using peer = await connect({ port: balancer.port });
  assertEquals(await Array.fromAsync(peer), []);
  await balancer.remarked("No backend was available within 200 ms; no backend");
});
