// Several processes, and several servers, that relay as one.
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { connect } from "../../../socket/connect.ts";
import { Authority } from "../../_util/tls/certificates.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { startLoadTest } from "../../_util/loadtest/loadtest_program.ts";
import { HAS_NATS, NatsServer } from "../../_util/programs/nats_server.ts";
import { denoRun, run, runClient, runServer, ServerProcess } from "../../_util/programs/program.ts";
import { refusalOf } from "../../_util/programs/refusal.ts";

/** Returns the children of the server, whichever of its threads started them. */
function workersOf(server: ServerProcess): number[] {
  const threads = [...Deno.readDirSync(`/proc/${server.pid}/task`)].map(({ name }) => name);
  return threads.flatMap((thread) => {
    const text = Deno.readTextFileSync(`/proc/${server.pid}/task/${thread}/children`).trim();
    return text === "" ? [] : text.split(" ").map(Number);
  });
}

async function acknowledged(server: ServerProcess, clients: number): Promise<void> {
  const { code, err } = await runClient([
    "relay",
    "--port",
    `${server.port}`,
    "--clients",
    `${clients}`,
  ]);
  assertEquals(code, 0, err);
}

Deno.test("server.ts relay --processes relays between processes, and ends them all with exit 0", async () => {
  await using server = await ServerProcess.start("relay", "--processes", "2");
  assertEquals(workersOf(server).length, 2);
  await acknowledged(server, 40);
  const state = await server.until(({ connections, pending }) => connections === 0 && pending === 0);
  assertEquals(state.processes, 2);
  assertEquals(state.accepted, 40);
  const workers = workersOf(server);
  const { code, err } = await server.stop();
  assertEquals(code, 0, err);
  for (const pid of workers) assertThrows(() => Deno.statSync(`/proc/${pid}`), Deno.errors.NotFound);
});

Deno.test("server.ts echo --processes --verbose logs the throughput of all processes", async () => {
  await using server = await ServerProcess.start("echo", "--processes", "2", "--verbose");
  const { code, err } = await runClient(["echo", "--port", `${server.port}`, "--clients", "20", "hello"]);
  assertEquals(code, 0, err);
  const outcome = await server.stop();
  assertEquals(outcome.code, 0, outcome.err);
  assertMatch(outcome.err, /; 20 in total\n/);
});

Deno.test("server.ts --processes --verbose logs how each connection ended, and all else once", async () => {
  await using server = await ServerProcess.start("echo", "--processes", "2", "--verbose");
  for (let count = 0; count < 4; count++) {
    const { code, err } = await runClient(["echo", "--port", `${server.port}`, "hello"]);
    assertEquals(code, 0, err);
  }
  const { code, err } = await server.stop();
  assertEquals(code, 0, err);
  const times = (text: string) => err.split(text).length - 1;
  assertEquals(["closed, natural; 6 bytes in, 6 out", "listening on", "draining", "in total"].map(times), [
    4,
    1,
    1,
    1,
  ], err);
});

Deno.test("server.ts proxy --processes logs each connection unless --quiet is given", async () => {
  await using echo = await ServerProcess.start("echo", "--quiet");
  for (const [quiet, expected] of [[[], 3], [["--quiet"], 0]] as const) {
    const to = ["--to", `127.0.0.1:${echo.port}`];
    await using proxy = await ServerProcess.start("proxy", ...to, "--processes", "2", ...quiet);
    for (let count = 0; count < 3; count++) {
      const { code, err } = await runClient(["echo", "--port", `${proxy.port}`, "hello"]);
      assertEquals(code, 0, err);
    }
    const { code, err } = await proxy.stop();
    assertEquals([code, err.split(`127.0.0.1:${echo.port}, 6 bytes`).length - 1], [0, expected], err);
  }
});

Deno.test("server.ts relay --processes drains quietly when the first process is killed", async () => {
  await using server = await ServerProcess.start("relay", "--processes", "2", "--quiet");
  await using client = await connect({ port: server.port });
  const lines = client[Symbol.asyncIterator]();
  client.send("message x");
  assertEquals((await lines.next()).value, "message x");
  server.signal("SIGKILL");
  assertEquals((await lines.next()).value, "error server is draining: connections end within 10000 ms");
  client.send("ok x");
  assertEquals((await lines.next()).value, "ok x");
  await client.close();
  // The end of stderr, which all processes share, is the end of all.
  assertEquals((await server.ended()).err, "");
});

Deno.test("server.ts --until-stdin-ends drains and exits with 0 when its controller is killed", async () => {
  for (const service of ["relay", "echo", "udp"]) {
    const [program, ...args] = denoRun("server.ts", [
      service,
      "--host",
      "127.0.0.1",
      "--port",
      "0",
      "--json",
    ]);
    const child = new Deno.Command(program, {
      args: [...args, "--quiet", "--control", "--until-stdin-ends"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const out = child.stdout.getReader();
    assertStringIncludes(new TextDecoder().decode((await out.read()).value), "listening");
    await out.cancel();
    const input = child.stdin.getWriter();
    // In the middle of a request; the answer fails before stdin ends.
    await input.write(new TextEncoder().encode("state\n"));
    const [err, { code }] = await Promise.all([new Response(child.stderr).text(), child.status]);
    assertEquals([code, err], [0, ""], service);
    await input.close().catch(() => {});
  }
});

Deno.test("server.ts relay --processes replaces a process that is killed", async () => {
  await using server = await ServerProcess.start("relay", "--processes", "2");
  const [victim] = workersOf(server);
  Deno.kill(victim!, "SIGKILL");
  await server.remarked(`(pid ${victim}) ended with signal SIGKILL: restarting`);
  await server.until(({ processes }) => processes === 2);
  assert(!workersOf(server).includes(victim!));
  await acknowledged(server, 20);
  assertEquals((await server.stop()).code, 0);
});

Deno.test("server.ts --processes keeps restarting processes that fail at start, and serves again when they can start", async () => {
  await using authority = await Authority.create();
  await authority.issue("server");
  const { certificate, key, authority: ca } = authority.files;
  const tls = ["--tls-cert", certificate, "--tls-key", key];
  await using server = await ServerProcess.start(
    "echo",
    "--processes",
    "2",
    ...tls,
    "--admin",
    "127.0.0.1:0",
  );
  const admin = await server.next("admin");
  const ready = async () => {
    const response = await fetch(`http://127.0.0.1:${admin.port}/readyz`);
    return `${response.status} ${await response.text()}`;
  };
  assertMatch(await ready(), /^200 /);
  await Deno.rename(key, `${key}.gone`);
  for (const pid of workersOf(server)) Deno.kill(pid, "SIGKILL");
  // Both places fail, and each again.
  const state = await server.until(({ processes, restarts }) => processes === 0 && Number(restarts) >= 4);
  assertEquals(state.workers, []);
  await server.remarked("ended with exit code 1: restarting in ");
  assertMatch(await ready(), /^503 [^]*no process serves/);
  // A replacement that fails as well leaves the server as it is.
  server.signal("SIGHUP");
  await server.remarked("Process 1 was not replaced: ");
  await Deno.rename(`${key}.gone`, key);
  await server.until(({ processes }) => processes === 2);
  assertMatch(await ready(), /^200 /);
  const { code, out, err } = await runClient([
    "echo",
    "hello",
    "--port",
    `${server.port}`,
    "--tls",
    "--tls-ca",
    ca,
  ]);
  assertEquals([code, out], [0, "hello\n"], err);
  assertEquals((await server.stop()).code, 0);
});

Deno.test("server.ts relay --processes replaces all processes at SIGHUP", async () => {
  await using server = await ServerProcess.start("relay", "--processes", "2");
  const before = workersOf(server);
  server.signal("SIGHUP");
  await server.remarked("Process 2 of 2 replaced");
  const after = workersOf(server);
  assertEquals([after.length, after.filter((pid) => before.includes(pid))], [2, []]);
  await acknowledged(server, 20);
  assertEquals((await server.stop()).code, 0);
});

Deno.test("server.ts --processes suspends and resumes every process", async () => {
  await using server = await ServerProcess.start("echo", "--processes", "2");
  await server.say("suspend");
  await server.next("suspended");
  await server.until(({ suspended }) => suspended === true);
  await server.say("resume");
  await server.next("resumed");
  await server.until(({ suspended }) => suspended === false);
  const { code, out } = await runClient(["echo", "hello", "--port", `${server.port}`]);
  assertEquals([code, out], [0, "hello\n"]);
  assertEquals((await server.stop()).code, 0);
});

Deno.test("server.ts --processes ends when its processes cannot start", async () => {
  await using server = await ServerProcess.start("echo");
  const { code, err } = await runServer([
    "echo",
    "--host",
    "127.0.0.1",
    "--port",
    `${server.port}`,
    "--processes",
    "2",
  ]);
  assertEquals(code, 1);
  assertStringIncludes(err, "the port is in use");
});

Deno.test("server.ts accepts --processes only for services that can run in several processes", async () => {
  for (const service of ["chat", "http", "udp"]) {
    const { code, err } = await refusalOf("server.ts", [service, "--processes", "2"]);
    assertEquals(code, 2);
    assertStringIncludes(err, "--processes");
  }
});

Deno.test("server.ts relay refuses a --cluster that is not a URL", async () => {
  for (const url of ["nats", "http://a", "unix:", "nats://a,b"]) {
    const { code, err } = await refusalOf("server.ts", ["relay", "--port", "0", "--cluster", url]);
    assertEquals(code, 2);
    assertStringIncludes(err, "expected nats://HOST:PORT");
  }
});

Deno.test("server.ts relay reports a NATS server that it cannot reach", async () => {
  const { code, err } = await refusalOf("server.ts", [
    "relay",
    "--port",
    "0",
    "--cluster",
    "nats://127.0.0.1:1",
  ]);
  assertEquals(code, 1);
  assertStringIncludes(err, "Cannot connect to NATS at nats://127.0.0.1:1: ");
});

Deno.test("server.ts relay --cluster relays between servers over NATS", { ignore: !HAS_NATS }, async () => {
  await using nats = await NatsServer.start();
  await using one = await ServerProcess.start("relay", "--cluster", nats.url);
  await using two = await ServerProcess.start("relay", "--cluster", nats.url);
  for (const server of [one, two]) await server.until(({ nodes }) => nodes === 1);
  await Promise.all([acknowledged(one, 30), acknowledged(two, 30)]);
  for (const server of [one, two]) {
    await server.until(({ connections, pending }) => connections === 0 && pending === 0);
    assertEquals((await server.stop()).code, 0);
  }
});

Deno.test(
  "server.ts relay --cluster speaks TLS with NATS by a client certificate",
  { ignore: !HAS_NATS },
  async () => {
    await using authority = await Authority.create();
    await authority.issue("nats", ["DNS:localhost"]);
    const { certificate, key, authority: ca } = authority.files;
    const tls = ["--tls", "--tlsverify", "--tlscert", certificate, "--tlskey", key, "--tlscacert", ca];
    await using nats = await NatsServer.start({ args: tls });
    const cluster = ["--cluster", `tls://localhost:${nats.port}`, "--cluster-ca", ca];
    const identity = ["--cluster-cert", certificate, "--cluster-key", key];
    await using one = await ServerProcess.start("relay", ...cluster, ...identity);
    await using two = await ServerProcess.start("relay", ...cluster, ...identity);
    for (const server of [one, two]) await server.until(({ nodes }) => nodes === 1);
    const { code, err } = await runServer(["relay", "--port", "0", ...cluster]);
    assertEquals(code, 1);
    assertMatch(
      err,
      /Cannot connect to NATS at tls:\/\/localhost:\d+: Peer refused .*: received fatal alert: /,
    );
  },
);

Deno.test("server.ts relay names the file or the option that --cluster cannot use", async () => {
  const relay = ["relay", "--port", "0", "--cluster", "nats://127.0.0.1:1"];
  for (
    const [args, exit, says] of [
      [["--cluster-credentials", "/nowhere.creds"], 1, 'Cannot read "/nowhere.creds": no such file'],
      [["--cluster-ca", "/nowhere.pem"], 1, 'Cannot read "/nowhere.pem": no such file'],
      [["--cluster-cert", "/nowhere.pem"], 2, "--cluster-key"],
      [["--cluster", "unix:/tmp", "--cluster-ca", "deno.json"], 2, "they are for NATS"],
    ] as const
  ) {
    const { code, err } = await refusalOf("server.ts", [
      ...(args[0] === "--cluster" ? relay.slice(0, 3) : relay),
      ...args,
    ]);
    assertEquals(code, exit, err);
    assertStringIncludes(err, says);
  }
});

Deno.test("server.ts relay --processes loses and refuses nothing when all processes are replaced under load", async () => {
  await using server = await ServerProcess.start("relay", "--processes", "2");
  const clients = 1500;
  const load = startLoadTest(
    ...["--target", `127.0.0.1:${server.port}`, "--clients", `${clients}`, "--window", "6s"],
    ...["--json", ...ANY_LAG],
  );
  await load.says("acked");
  server.signal("SIGHUP");
  await server.remarked("Process 2 of 2 replaced");
  const { summary, err } = await load.outcome;
  const { acked, lost, refused, underWay } = summary;
  assertEquals({ acked, lost, refused, underWay }, { acked: clients, lost: 0, refused: 0, underWay: 0 }, err);
  const state = await server.until(({ connections, pending }) => connections === 0 && pending === 0);
  // Both kinds of processes took part, and are counted.
  assert(Number(state.accepted) >= clients, `${state.accepted}`);
  const successors = (state.workers as { accepted: number }[]).reduce(
    (sum, { accepted }) => sum + accepted,
    0,
  );
  assert(successors > 0 && successors < clients, `${successors}`);
  assertEquals((await server.stop()).code, 0);
});

Deno.test("server.ts echo --processes resets no connection when all processes are replaced", async () => {
  const { code, out } = await run([Deno.execPath(), "run", "-A", "bench/trials/rolling_restart.ts", "3"]);
  assertEquals(code, 0, out);
  assertEquals(Object.keys(JSON.parse(out)), ["replaced", "answered", "exitCode"]);
});
