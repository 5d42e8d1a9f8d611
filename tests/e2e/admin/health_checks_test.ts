// The examples of docs/operating.md for systemd and Kubernetes. haproxy_test.ts runs the one for HAProxy.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "yaml";
import { freePort, isInstalled } from "../../_util/programs/installed.ts";
import { run, ServerProcess } from "../../_util/programs/program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const DOCUMENT = Deno.readTextFileSync(new URL("../../../docs/operating.md", import.meta.url));

/** Returns the first example in a language. */
function example(language: string): string {
  const [, text = ""] = new RegExp(`\`\`\`${language}\\n([^\`]+)\`\`\``).exec(DOCUMENT) ?? [];
  assert(text !== "", language);
  return text;
}

const curl = await isInstalled("curl");

Deno.test({
  name: "docs/operating.md has a unit that systemd accepts",
  ignore: !await isInstalled("systemd-analyze"),
  fn: async () => {
    await using folder = new TempDir();
    const path = `${folder.path}/okline.service`;
    // The programs may not be installed here.
    const unit = example("ini").replaceAll(/=\/usr\/\S+/g, "=/bin/true");
    await Deno.writeTextFile(path, unit);
    const { code, out, err } = await run(["systemd-analyze", "verify", path]);
    assertEquals([code, out, err], [0, "", ""]);
  },
});

Deno.test({
  name: "docs/operating.md has a check for systemd that passes once the relay is ready",
  ignore: !curl || Deno.build.os === "windows",
  fn: async () => {
    await using folder = new TempDir();
    const socket = `${folder.path}/admin`;
    const unit = example("ini").replaceAll("/run/okline/admin", socket);
    const line = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(unit)![1]!.split(" ");
    // It tries again until the server is there.
    const checked = run(["curl", ...line("ExecStartPost").slice(1)]);
    await using _ = await ServerProcess.start("relay", ...line("ExecStart").slice(2));
    const { code, out, err } = await checked;
    assertEquals([code, out], [0, "ok\n"], err);
  },
});

interface Container {
  readonly args: readonly string[];
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: number } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: number } };
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: [string, ...string[]] } } };
}

Deno.test({
  name: "docs/operating.md has probes and a hook for Kubernetes that drain the relay",
  ignore: !curl || Deno.build.os === "windows",
  fn: async () => {
    const port = freePort();
    const text = example("yaml").replaceAll("9000", `${port}`).replaceAll("0.0.0.0", "127.0.0.1");
    const { containers: [container], terminationGracePeriodSeconds } = parse(text) as {
      readonly containers: readonly [Container];
      readonly terminationGracePeriodSeconds: number;
    };
    const { args: [service, ...options], livenessProbe, readinessProbe, lifecycle } = container;
    const drain = parseInt(options[options.indexOf("--drain-timeout") + 1]!);
    assert(terminationGracePeriodSeconds > drain + 5, "the pod is killed before it has drained");
    const token = "s3cret";
    await using server = await ServerProcess.startAnywhere(service!, ...options, "--admin-token", token);
    for (const { httpGet } of [livenessProbe, readinessProbe]) {
      const answer = await fetch(`http://127.0.0.1:${httpGet.port}${httpGet.path}`);
      assertEquals([answer.status, await answer.text()], [200, "ok\n"]);
    }
    const { command } = lifecycle.preStop.exec;
    // Kubernetes starts it without a shell, and with the environment of the container.
    const refused = await run(command, { env: { OKLINE_ADMIN_TOKEN: "wrong" } });
    assertEquals([refused.code, refused.out], [22, ""]);
    assertMatch(refused.err, /401/);
    const { code, out } = await run(command, { env: { OKLINE_ADMIN_TOKEN: token } });
    assertEquals([code, JSON.parse(out).drained], [0, true]);
    assertEquals((await server.ended()).code, 0);
  },
});
