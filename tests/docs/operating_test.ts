import { assert, assertEquals } from "@std/assert";
import { askAdmin } from "../_util/admin/admin_client.ts";
import { startWatchedRelay } from "../_util/admin/admin_target.ts";
import { isInstalled } from "../_util/programs/installed.ts";

const FOLDER = new URL("../../docs/", import.meta.url);
const read = (name: string) => Deno.readTextFileSync(new URL(name, FOLDER));

/** Names of metrics in a text. Those of a histogram's series count as the histogram. */
function metricsIn(text: string): string[] {
  const names = [...text.matchAll(/\bokline_[a-z_]+/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, "")
  );
  return [...new Set(names)].filter((name) => !name.startsWith("okline_loadtest_")).sort();
}

async function scrapedNames(): Promise<string[]> {
  await using watched = await startWatchedRelay();
  const { text } = await askAdmin(watched.admin.address, "/metrics");
  return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
}

Deno.test("docs/operating.md documents exactly the metrics of a relay", async () => {
  const [, table = ""] = /## Metrics\n([\s\S]*?)\n\n[A-Z]/.exec(read("operating.md")) ?? [];
  const scraped = await scrapedNames();
  // The cluster's are there only in a cluster, and those of the process go by one name.
  const expected = scraped.filter((name) => name.startsWith("okline_")).concat("okline_cluster_nodes");
  assertEquals(metricsIn(table), [...new Set(expected)].sort());
});

for (const name of ["operating/alerts.yml", "operating/grafana.json"]) {
  Deno.test(`docs/${name} uses only metrics that a relay has`, async () => {
    const scraped = new Set(await scrapedNames());
    const used = metricsIn(read(name).replaceAll(/job="okline"/g, ""));
    assert(used.length > 3);
    assertEquals(used.filter((metric) => !scraped.has(metric)), []);
  });
}

Deno.test("docs/operating/grafana.json is a dashboard whose panels do not overlap", () => {
  const { title, schemaVersion, panels, templating } = JSON.parse(read("operating/grafana.json"));
  assert(title === "okline" && schemaVersion >= 30 && templating.list.length > 0);
  const taken = new Set<string>();
  for (const { gridPos: { x, y, w, h }, targets } of panels) {
    assert(targets.every(({ expr }: { expr: string }) => expr.length > 0));
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        assert(column < 24 && !taken.has(`${column} ${row}`), `${column} ${row}`);
        taken.add(`${column} ${row}`);
      }
    }
  }
});

Deno.test({
  name: "docs/operating/alerts.yml satisfies promtool check rules, with the five alerts of docs/operating.md",
  ignore: !await isInstalled("promtool"),
  fn: async () => {
    const args = ["check", "rules", new URL("operating/alerts.yml", FOLDER).pathname];
    const { success, stdout } = await new Deno.Command("promtool", { args }).output();
    assertEquals([success, new TextDecoder().decode(stdout).includes("SUCCESS: 5 rules found")], [
      true,
      true,
    ]);
    const alerts = [...read("operating/alerts.yml").matchAll(/alert: (\w+)/g)].map(([, name]) => name);
    const documented = [...read("operating.md").matchAll(/^\d\. \*\*(\w+)\*\*/gm)].map(([, name]) => name);
    assertEquals(alerts, documented);
  },
});
