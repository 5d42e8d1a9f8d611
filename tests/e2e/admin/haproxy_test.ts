import { assert, assertEquals } from "@std/assert";
import { askAdmin } from "../../_util/admin/admin_client.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { askUntil, freePort, isInstalled, runProgram } from "../../_util/programs/installed.ts";
import { denoRun, run, ServerProcess } from "../../_util/programs/program.ts";

/** The backend of docs/operating.md, for servers at these ports. */
function documentedBackend(ports: readonly (readonly [service: number, admin: number])[]): string {
  const document = Deno.readTextFileSync(new URL("../../../docs/operating.md", import.meta.url));
  let [, backend = ""] = /```\n(backend relays\n[^`]+)```/.exec(document) ?? [];
  ports.forEach(([service, admin], index) => {
    backend = backend.replace(`127.0.0.1:800${index + 1} check port 900${index + 1}`, () => {
      return `127.0.0.1:${service} check port ${admin}`;
    });
  });
  return backend;
}

/** The status of each server, as HAProxy sees it. */
async function statusOf(port: number): Promise<Record<string, string>> {
  const lines = (await (await fetch(`http://127.0.0.1:${port}/;csv`)).text()).trim().split("\n");
  const rows = lines.map((line) => line.split(","));
  const column = rows[0]!.indexOf("status");
  return Object.fromEntries(
    rows.filter(([proxy]) => proxy === "relays").map((row) => [row[1]!, row[column]!]),
  );
}

Deno.test({
  name: "HAProxy takes a draining server out by /readyz, and no request of a client is lost",
  ignore: !await isInstalled("haproxy", "-v"),
  fn: async () => {
    await using first = await ServerProcess.start("echo", "--admin", "127.0.0.1:0");
    await using second = await ServerProcess.start("echo", "--admin", "127.0.0.1:0");
    const [one, two] = [Number((await first.next("admin")).port), Number((await second.next("admin")).port)];
    const backend = documentedBackend([[first.port, one], [second.port, two]]);
    const [port, stats] = [freePort(), freePort()];
    const config = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(
        config,
        `defaults
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend clients
    mode tcp
    bind 127.0.0.1:${port}
    default_backend relays
frontend stats
    mode http
    bind 127.0.0.1:${stats}
    stats enable
    stats uri /
${backend}`,
      );
      await using _ = runProgram("haproxy", ["-f", config]);
      const status = () => statusOf(stats);
      await askUntil(status, ({ a, b }) => a === "UP" && b === "UP");
      const test = run(denoRun("loadtest.ts", [
        ...["--protocol", "echo", "--clients", "600", "--window", "5s", ...ANY_LAG],
        ...["--target", `127.0.0.1:${port}`, "--json", "--quiet"],
      ]));
      await first.until(({ accepted }) => Number(accepted) > 50);
      await askAdmin({ hostname: "127.0.0.1", port: one }, "/drain", { method: "POST" });
      await askUntil(status, ({ a, b }) => a!.startsWith("DOWN") && b === "UP");
      assertEquals((await first.ended()).code, 0);
      const summary = JSON.parse((await test).out);
      assertEquals([summary.acked, summary.lost, summary.unexpected], [600, 0, 0]);
      const { accepted } = await second.state();
      assert(Number(accepted) > 300, `${accepted}`);
    } finally {
      await Deno.remove(config);
    }
  },
});
