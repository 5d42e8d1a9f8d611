/** `--transport epoll`: every program with it, its permissions, and the ends of its processes. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { denoRun, run, runClient, ServerProcess } from "../../_util/programs/program.ts";

const ROOT = new URL("../../../", import.meta.url);
const EPOLL = ["--transport", "epoll"] as const;
const linux = { ignore: Deno.build.os !== "linux" } as const;

Deno.test(
  "server.ts and client.ts --transport epoll serve relay clients, and end on their own",
  linux,
  async () => {
    await using server = await ServerProcess.start("relay", ...EPOLL);
    const { code, out } = await runClient([
      "--clients",
      "20",
      "--port",
      `${server.port}`,
      "--json",
      ...EPOLL,
    ]);
    assertEquals(code, 0, out);
    const state = await server.until(({ connections }) => connections === 0);
    assertEquals([state.pending, state.queuedBytes], [0, 0]);
  },
);

Deno.test("server.ts proxy --transport epoll passes bytes on to an epoll backend", linux, async () => {
  await using echo = await ServerProcess.start("echo", ...EPOLL);
  await using proxy = await ServerProcess.start("proxy", "--to", `127.0.0.1:${echo.port}`, ...EPOLL);
  const { code, out } = await runClient(["echo", "one", "two", "--port", `${proxy.port}`, ...EPOLL]);
  assertEquals([code, out], [0, "one\ntwo\n"]);
});

Deno.test(
  "loadtest.ts --transport epoll proves delivery in one process and in several, with and without TLS",
  linux,
  async () => {
    for (const options of [["--processes", "1"], ["--processes", "2"], ["--tls"]]) {
      const command = [
        "--clients",
        "200",
        "--window",
        "1s",
        "--max-lag",
        "60s",
        "--json",
        "--quiet",
        ...options,
        ...EPOLL,
      ];
      const { code, out, err } = await run(denoRun("loadtest.ts", command));
      assertEquals([code, err], [0, ""], out);
      const { verdict, acked, server } = JSON.parse(out.trimEnd().split("\n").at(-1)!);
      assertEquals([verdict, acked, server.connections, server.descriptors], ["proven", 200, 0, 0]);
    }
  },
);

Deno.test("--transport epoll without --allow-ffi is one clear error", linux, async () => {
  for (const program of ["server.ts", "client.ts"] as const) {
    const set = program === "server.ts" ? "server" : "client";
    const { code, err } = await run([
      ...[Deno.execPath(), "run", "--quiet", "--no-prompt", `-P=${set}`, program] as const,
      ...["--port", "1", ...EPOLL],
    ], { cwd: ROOT.pathname });
    assertEquals(code, 1);
    assertStringIncludes(err, "Cannot use the epoll transport: foreign functions are not allowed");
    assertStringIncludes(err, "--allow-ffi");
    assertEquals(err.trimEnd().split("\n").length, 1, err);
  }
});

Deno.test(
  "server.ts --transport epoll keeps serving when it is out of descriptors, and accepts again",
  linux,
  async () => {
    await using server = await ServerProcess.startWithin(64, "echo", ...EPOLL);
    const open = await Array.fromAsync({ length: 80 }, () => Deno.connect({ port: server.port }));
    await server.until((state) => Number(state.outOfDescriptors) > 0);
    const echo = async (conn: Deno.Conn): Promise<string> => {
      await conn.write(new TextEncoder().encode("served\n"));
      const buffer = new Uint8Array(16);
      const count = await conn.read(buffer);
      return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    };
    assertEquals(await echo(open[0]!), "served\n");
    const last = open.pop()!;
    for (const conn of open) conn.close();
    assertEquals(await echo(last), "served\n");
    last.close();
  },
);

/** Runs a module that imports `nativeNetwork` to its end. */
async function runModule(
  body: string,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const library = new URL("native/mod.ts", ROOT).href;
  const source = `import { nativeNetwork } from "${library}"; const network = nativeNetwork();\n${body}`;
  const url = `data:application/typescript,${encodeURIComponent(source)}`;
  return await run([Deno.execPath(), "run", "-A", "--quiet", url]);
}

Deno.test(
  "nativeNetwork() lets a program end when nothing is pending",
  linux,
  async () => {
    const open = `const listener = network.listen({ port: 0 });
    const [near, far] = await Promise.all([network.connect({ port: listener.address.port }), listener.accept()]);
    await near.write(new TextEncoder().encode("hello"));
    console.log(await far.read(new Uint8Array(10)));`;
    assertEquals(await runModule(open), { code: 0, out: "5\n", err: "" });
    const closing =
      `${open} const reading = far.read(new Uint8Array(10)).catch((error) => console.log(error.name));
    setTimeout(() => { for (const each of [near, far, listener]) each.close(); }, 100); await reading;`;
    assertEquals(await runModule(closing), { code: 0, out: "5\nInterrupted\n", err: "" });
  },
);

Deno.test("nativeNetwork() keeps a program running while an operation is pending", linux, async () => {
  const waiting = `const listener = network.listen({ port: 0 });
    const accepted = listener.accept();
    void Deno.connect({ port: listener.address.port });
    console.log((await accepted).remote.hostname);`;
  assertEquals(await runModule(waiting), { code: 0, out: "127.0.0.1\n", err: "" });
});

Deno.test(
  "nativeNetwork() survives when a Worker with a pending operation is terminated",
  linux,
  async () => {
    const worker = `import { nativeNetwork } from "${new URL("native/mod.ts", ROOT).href}";
    const listener = nativeNetwork().listen({ port: 0 }); listener.accept(); setTimeout(() => postMessage("up"), 50);`;
    const { code, out, err } = await runModule(`
    for (let round = 0; round < 5; round++) {
      const worker = new Worker("data:application/typescript,${
      encodeURIComponent(worker)
    }", { type: "module" });
      await new Promise((resolve) => worker.onmessage = resolve);
      worker.terminate();
    }
    console.log("alive");`);
    assertEquals([code, out, err], [0, "alive\n", ""]);
  },
);
