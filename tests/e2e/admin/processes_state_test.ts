// The state of a server of several processes: of now, of all of them, and never less than before.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { connect } from "../../../socket/connect.ts";
import type { Connection } from "../../../socket/connection.ts";
import type { Address } from "../../../socket/network.ts";
import { residentMemory } from "../../../loadtest/process/process_usage.ts";
import { listen } from "../../../socket/listen.ts";
import { askAdmin } from "../../_util/admin/admin_client.ts";
import { loadTest } from "../../_util/loadtest/loadtest_program.ts";
import { askUntil } from "../../_util/programs/installed.ts";
import { ServerProcess } from "../../_util/programs/program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const PROCESSES = ["--processes", "2", "--admin", "127.0.0.1:0"];

async function adminOf(server: ServerProcess): Promise<Address> {
  const { host, port } = await server.next("admin");
  return { hostname: String(host), port: Number(port) };
}

async function stateAt(admin: Address): Promise<Record<string, unknown>> {
  return JSON.parse((await askAdmin(admin, "/state")).text);
}

async function metricAt(admin: Address, name: string): Promise<number> {
  const { text } = await askAdmin(admin, "/metrics");
  return Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ").at(-1));
}

function pidsOf({ workers }: Record<string, unknown>): number[] {
  return (workers as { pid: number }[]).map(({ pid }) => pid);
}

/** Returns the next line that a peer sends. */
async function nextLine(peer: Connection): Promise<string | undefined> {
  const next = await peer[Symbol.asyncIterator]().next();
  return next.done ? undefined : next.value;
}

/** Opens a connection, and waits until a process has echoed a line over it. */
async function opened(server: ServerProcess): Promise<Connection> {
  const client = await connect({ port: server.port });
  client.send("hello");
  await nextLine(client);
  return client;
}

function abort(clients: readonly Connection[]): void {
  for (const client of clients) client.abort({ type: "local", why: "over" });
}

Deno.test("server.ts --processes reports connections over HTTP as soon as they are open", async () => {
  await using server = await ServerProcess.start("echo", ...PROCESSES);
  const admin = await adminOf(server);
  const clients: Connection[] = [];
  try {
    for (let count = 1; count <= 8; count++) {
      clients.push(await opened(server));
      const { connections, accepted, messages } = await stateAt(admin);
      assertEquals([connections, accepted, messages], [count, count, count]);
      assertEquals(await metricAt(admin, "okline_connections"), count);
    }
  } finally {
    abort(clients);
  }
});

Deno.test("loadtest.ts --target-admin fails a run that leaves connections at a server of several processes", async () => {
  await using server = await ServerProcess.start("echo", ...PROCESSES);
  const { hostname, port } = await adminOf(server);
  await using dir = new TempDir();
  const kept: Connection[] = [];
  // Passes lines on, and keeps its connection to the server.
  await using proxy = listen({ port: 0, hostnames: ["127.0.0.1"] });
  proxy.serve(async (client) => {
    const upstream = await connect({ port: server.port });
    kept.push(upstream);
    for await (const line of client) {
      upstream.send(line);
      client.send(await nextLine(upstream) ?? "");
    }
  });
  await Deno.writeTextFile(
    `${dir.path}/scenario.ts`,
    `import { lineCodec, scenario } from "@okline/okline/loadtest";
    export default scenario({ codec: lineCodec(), message: (t) => t.ask("hello", { expect: "hello" }) });`,
  );
  try {
    const { code, summary } = await loadTest(
      ...["run", `${dir.path}/scenario.ts`, "--target", `127.0.0.1:${proxy.port}`],
      ...["--clients", "5", "--window", "0", "--target-admin", `${hostname}:${port}`, "--json", "--quiet"],
      ...["--max-lag", "1h", "--no-check"],
    );
    assertEquals([summary.verdict, code], ["failed", 1]);
    assertEquals((summary.server as Record<string, unknown>).connections, 5);
  } finally {
    abort(kept);
  }
});

Deno.test("server.ts --processes counts a process that hangs as unanswered, with its last state", async () => {
  await using server = await ServerProcess.start("echo", ...PROCESSES);
  const admin = await adminOf(server);
  const clients = [await opened(server), await opened(server), await opened(server)];
  try {
    const before = await stateAt(admin);
    assertEquals([before.connections, before.processes, before.unanswered], [3, 2, 0]);
    const [stopped] = pidsOf(before);
    Deno.kill(stopped!, "SIGSTOP");
    const hanging = await stateAt(admin);
    assertEquals([hanging.connections, hanging.processes, hanging.unanswered], [3, 1, 1]);
    const list = JSON.parse((await askAdmin(admin, "/connections")).text);
    assertEquals(list.unanswered, 1);
    Deno.kill(stopped!, "SIGCONT");
    const after = await askUntil(() => stateAt(admin), ({ unanswered }) => unanswered === 0);
    assertEquals([after.connections, after.processes], [3, 2]);
  } finally {
    abort(clients);
  }
});

Deno.test("server.ts --processes keeps the counts of a process that is killed", async () => {
  await using server = await ServerProcess.start("echo", ...PROCESSES);
  const admin = await adminOf(server);
  const clients: Connection[] = [];
  try {
    for (let count = 0; count < 16; count++) clients.push(await opened(server));
    const accepted = "okline_connections_accepted_total";
    const bytes = 'okline_bytes_total{direction="in"}';
    assertEquals(await metricAt(admin, accepted), 16);
    assertEquals(await metricAt(admin, bytes), 16 * 6);
    const cpu = await metricAt(admin, "process_cpu_seconds_total");
    const state = await stateAt(admin);
    const [first] = state.workers as { pid: number; connections: number }[];
    assert(first!.connections > 0);
    Deno.kill(first!.pid, "SIGKILL");
    const restarted = await askUntil(
      () => stateAt(admin),
      ({ restarts, processes }) => restarts === 1 && processes === 2,
    );
    assertEquals([restarted.accepted, restarted.messages], [16, 16]);
    assertEquals(restarted.connections, 16 - first!.connections, "it held these");
    assertEquals(await metricAt(admin, accepted), 16);
    assertEquals(await metricAt(admin, bytes), 16 * 6);
    assertGreater(await metricAt(admin, "process_cpu_seconds_total"), cpu);
  } finally {
    abort(clients);
  }
});

Deno.test("server.ts --processes reports what a process holds while it drains, and its final counts", async () => {
  await using server = await ServerProcess.start("relay", ...PROCESSES);
  const admin = await adminOf(server);
  const client = await connect({ port: server.port });
  try {
    // Unless the client answers, its message waits, and so does the process that holds it.
    client.send("message hello");
    assertEquals(await nextLine(client), "message hello");
    const before = await stateAt(admin);
    const holder = (before.workers as { pid: number; connections: number }[])
      .findIndex(({ connections }) => connections === 1);
    server.signal("SIGHUP");
    if (holder === 1) await server.remarked("Process 1 of 2 replaced");
    const draining = await askUntil(() => stateAt(admin), ({ processes }) => processes === 3);
    assertEquals([draining.connections, draining.pending, draining.accepted], [1, 1, 1]);
    const { connections } = JSON.parse((await askAdmin(admin, "/connections")).text);
    assertEquals(connections.length, 1);
    client.send("ok hello");
    assertEquals(await nextLine(client), "error server is draining: connections end within 10000 ms");
    assertEquals(await nextLine(client), "ok hello");
    await client.close();
    await server.remarked("Process 2 of 2 replaced");
    const after = await stateAt(admin);
    assertEquals([after.connections, after.pending, after.accepted, after.settled], [0, 0, 1, 1]);
    assertEquals((after.closed as Record<string, number>).local, 1);
    assertGreater(Number(await metricAt(admin, "okline_ack_seconds_count")), 0);
  } finally {
    abort([client]);
  }
});

Deno.test("server.ts --processes stays suspended when a process is restarted", async () => {
  await using server = await ServerProcess.start("echo", ...PROCESSES);
  const admin = await adminOf(server);
  assertEquals((await askAdmin(admin, "/suspend", { method: "POST" })).status, 200);
  assertEquals((await askAdmin(admin, "/readyz")).text, "suspended\n");
  assertEquals((await stateAt(admin)).suspended, true);
  Deno.kill(pidsOf(await stateAt(admin))[0]!, "SIGKILL");
  const { suspended } = await askUntil(
    () => stateAt(admin),
    ({ restarts, processes }) => restarts === 1 && processes === 2,
  );
  assertEquals(suspended, true);
});

Deno.test({
  name: "server.ts --processes adds up what its processes use",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = await ServerProcess.start("echo", ...PROCESSES);
    const admin = await adminOf(server);
    const pids = [server.pid, ...pidsOf(await stateAt(admin))];
    assertEquals(pids.length, 3);
    const descriptors = () => pids.flatMap((pid) => [...Deno.readDirSync(`/proc/${pid}/fd`)]).length;
    const [limit] = /(?<=^Max open files +)\d+/m.exec(Deno.readTextFileSync(`/proc/${server.pid}/limits`))!;
    assertEquals(await metricAt(admin, "process_max_fds"), 3 * Number(limit));
    // The request itself needs a socket, and may be over when the test counts.
    const isNear = (open: number) => Math.abs(open - descriptors()) <= 2;
    await askUntil(() => metricAt(admin, "process_open_fds"), isNear);
    const resident = pids.map((pid) => residentMemory(pid)!);
    const memory = await metricAt(admin, "process_resident_memory_bytes");
    const most = Math.max(...resident);
    assert(memory > most && memory < resident.reduce((sum, bytes) => sum + bytes, 0), `${memory} bytes`);
  },
});

Deno.test("server.ts --processes answers a drain with the final counts of all processes", async () => {
  await using server = await ServerProcess.start("echo", ...PROCESSES);
  const admin = await adminOf(server);
  const clients = await Promise.all([opened(server), opened(server)]);
  const drained = askAdmin(admin, "/drain?wait=1", { method: "POST" });
  await Promise.all(clients.map(async (client) => {
    await nextLine(client);
    await client.close();
  }));
  const { accepted, connections, closed, messages } = JSON.parse((await drained).text);
  assertEquals([accepted, connections, messages], [2, 0, 2]);
  assertEquals(Object.values<number>(closed).reduce((sum, count) => sum + count, 0), 2);
  assertEquals((await server.ended()).code, 0);
});
