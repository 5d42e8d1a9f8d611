import { assertEquals } from "@std/assert";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { askUntil, freePort, isInstalled, runProgram } from "../../_util/programs/installed.ts";
import { denoRun, run, ServerProcess } from "../../_util/programs/program.ts";

/** The value of a query, by the values of one label. */
async function query(port: number, expression: string, label: string): Promise<Record<string, number>> {
  const response = await fetch(
    `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`,
  );
  const { data: { result } } = await response.json();
  return Object.fromEntries(
    result.map((
      { metric, value }: { metric: Record<string, string>; value: [number, string] },
    ) => [metric[label] ?? "", Number(value[1])]),
  );
}

Deno.test({
  name: "Prometheus scrapes from a server what a load test counts",
  ignore: !await isInstalled("prometheus"),
  fn: async () => {
    await using server = await ServerProcess.start("relay", "--admin", "127.0.0.1:0");
    const admin = await server.next("admin");
    const folder = await Deno.makeTempDir();
    try {
      const config = `${folder}/prometheus.yml`;
      await Deno.writeTextFile(
        config,
        `scrape_configs: [{ job_name: okline, scrape_interval: 250ms, scrape_timeout: 250ms, ` +
          `static_configs: [{ targets: ["${admin.host}:${admin.port}"] }] }]\n`,
      );
      const port = freePort();
      await using _ = runProgram("prometheus", [
        `--config.file=${config}`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ]);
      await askUntil(() => query(port, "up", "job"), ({ okline }) => okline === 1);
      const { code, out } = await run(denoRun("loadtest.ts", [
        ...["--clients", "300", "--window", "1s", ...ANY_LAG, "--json", "--quiet"],
        ...["--target", `127.0.0.1:${server.port}`, "--target-admin", `${admin.host}:${admin.port}`],
      ]));
      const summary = JSON.parse(out);
      assertEquals([code, summary.verdict, summary.acked], [0, "proven", 300]);
      const scraped = await askUntil(
        () => query(port, `{__name__=~"okline_.+_total|okline_connections|okline_pending"}`, "__name__"),
        ({ okline_settled_total }) => okline_settled_total === summary.acked,
      );
      const { okline_messages_total, okline_oks_total, okline_redelivered_total, okline_pending } = scraped;
      assertEquals({ okline_messages_total, okline_oks_total, okline_redelivered_total, okline_pending }, {
        okline_messages_total: 300,
        okline_oks_total: 300,
        okline_redelivered_total: summary.redelivered,
        okline_pending: 0,
      });
      const closed = await askUntil(
        () => query(port, "okline_connections_closed_total > 0", "reason"),
        ({ natural }) => natural === summary.server.closed.natural,
      );
      assertEquals(closed, { natural: 300 });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
