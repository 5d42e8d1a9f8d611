import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EchoCounter } from "../../../cli/server/echo_stats.ts";
import { closing } from "../../../cli/server/listener_log.ts";
import { connect, DatagramSocket } from "../../../socket/mod.ts";
import { VirtualClock } from "../../../testing/mod.ts";
import { refusalOf } from "../../_util/programs/refusal.ts";
import { freePort } from "../../_util/programs/installed.ts";
import { runServer, ServerProcess } from "../../_util/programs/program.ts";
import { pure } from "../../_util/permissions.ts";
import { TempDir } from "../../_util/temp_dir.ts";

/** Facts about a service that a test uses. */
interface Known {
  /** The options that it requires. */
  readonly options?: readonly string[];
  /** Commands of its control channel. */
  readonly commands?: string;
  /** A key that only its state has. */
  readonly figure: string;
  readonly port: number;
}

const COMMANDS = "state, suspend, resume, or limits NAME=VALUE";

const SERVICES: Readonly<Record<string, Known>> = {
  relay: { figure: "pending", port: 8000 },
  echo: { figure: "messages", port: 8080 },
  hello: { figure: "delayed", port: 1729 },
  chat: { figure: "names", port: 8889 },
  http: { figure: "items", port: 8890 },
  files: { options: ["--root", "."], figure: "bodyBytesOut", port: 8891 },
  udp: { figure: "received", port: 12_345 },
  proxy: { options: ["--to", "127.0.0.1:1"], figure: "unserved", port: 8892 },
  balance: {
    options: ["--to", "127.0.0.1:1"],
    commands: "state, suspend, resume, limits NAME=VALUE, drain HOST:PORT, or undrain HOST:PORT",
    figure: "backends",
    port: 8893,
  },
};

for (const [name, { options = [], commands = COMMANDS, figure, port }] of Object.entries(SERVICES)) {
  Deno.test(`server.ts ${name} listens, reports its state, and ends on SIGTERM`, async () => {
    await using server = await ServerProcess.start(name, ...options);
    const state = await server.state();
    assertEquals(figure in state, true, `${figure} in ${JSON.stringify(state)}`);
    await server.say("status");
    assertEquals(await server.next("error"), {
      event: "error",
      message: `Unknown command "status": expected ${commands}`,
    });
    const { code, err } = await server.stop();
    assertEquals([code, err.replace(/^listening on .*\n/, "")], [
      0,
      "SIGTERM: draining; repeat to close immediately\n",
    ]);
    const help = await runServer([name, "--help"]);
    assertStringIncludes(help.out, `[default: ${port}; env:`);
  });
}

/** Only Linux reports which process listens on a port. */
const onLinux = { ignore: Deno.build.os !== "linux" };

Deno.test("server.ts --reuse-port names the process that it shares its port with", onLinux, async () => {
  await using first = await ServerProcess.start("relay", "--reuse-port");
  await using second = await ServerProcess.start("relay", "--reuse-port", "--port", `${first.port}`);
  const { err } = await second.stop();
  assertStringIncludes(err, `warning: Port ${first.port} is shared with process ${first.pid} (`);
  assertStringIncludes(err, "their clients cannot reach each other");
  assertEquals((await first.stop()).err.includes("is shared with"), false);
});

Deno.test("server.ts --reuse-port shares a port, and without it a port in use is an error", async () => {
  await using first = await ServerProcess.start("echo", "--reuse-port");
  const port = ["--port", `${first.port}`];
  await using second = await ServerProcess.start("echo", ...port, "--reuse-port");
  assertEquals(second.port, first.port);
  const third = await runServer(["echo", "--host", "127.0.0.1", ...port]);
  assertEquals([third.code, third.out], [1, ""]);
  assertStringIncludes(third.err, `Cannot listen on 127.0.0.1 port ${first.port}: the port is in use`);
});

Deno.test("server.ts announces each of its addresses, all on one port", async () => {
  await using server = await ServerProcess.start("echo", "--host", "127.0.0.2");
  const { pid: _, version: __, ...said } = await server.next("listening");
  assertEquals(said, { event: "listening", service: "echo", host: "127.0.0.2", port: server.port });
});

for (const name of ["echo", "udp"]) {
  Deno.test(`server.ts ${name} listens on 127.0.0.1, and on ::1 if it can be bound`, async () => {
    await using server = await ServerProcess.startAnywhere(name);
    if (canBind("::1")) {
      const { host, port } = await server.next("listening");
      assertEquals([host, port], ["::1", server.port]);
    }
    const { out } = await server.stop();
    assertEquals(out.trimEnd().split("\n").length, canBind("::1") ? 2 : 1);
  });
}

for (const name of ["echo", "udp"]) {
  Deno.test({
    name: `server.ts ${name} warns when another program has its port on ::1`,
    ignore: !canBind("::1"),
    fn: async () => {
      const port = freePort("127.0.0.1", "::1");
      using _other = name === "udp"
        ? new DatagramSocket({ hostname: "::1", port })
        : Deno.listen({ hostname: "::1", port });
      await using server = await ServerProcess.startAnywhere(name, "--port", `${port}`);
      const { out, err } = await server.stop();
      assertEquals(out.trimEnd().split("\n").length, 1);
      assertStringIncludes(err, "warning: Not listening on ::1: another program uses the port there");
    },
  });
}

function canBind(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test("server.ts --help lists every service", async () => {
  const { code, out } = await runServer(["--help"]);
  assertEquals(code, 0);
  for (const name of Object.keys(SERVICES)) assertMatch(out, new RegExp(`^  ${name} `, "m"));
});

const REFUSED: readonly (readonly [args: string, code: number, message: string])[] = [
  ["nothing", 2, 'Unknown service "nothing"; expected relay, echo, hello,'],
  ["echoo", 2, "(did you mean echo?)"],
  ["echo --delay 3s", 2, "Cannot use --delay with service echo: it is an option of hello"],
  ["echo --host 0.0.0.0 --host :: --port 0", 2, "--host :: includes --host 0.0.0.0"],
  ["echo --host 127.0.0.1 --host 127.0.0.1 --port 0", 2, "--host 127.0.0.1 and --host 127.0.0.1"],
  ["echo --idle-timeout 36501d", 2, "Cannot use --idle-timeout: expected a duration of at most 36500d"],
  ["echo --until-stdin-ends", 2, "Cannot use --until-stdin-ends without --control"],
  ["echo --monitor", 2, "Cannot use --monitor without --control"],
  ["echo --admin-name x", 2, "Cannot use --admin-name without --admin"],
  ["echo --admin-token x", 2, "Cannot use --admin-token without --admin"],
  ["udp --admin-token x", 2, "Cannot use --admin-token without --admin"],
  ["relay --processes 2 --admin-token x", 2, "Cannot use --admin-token without --admin"],
  ["relay --history-append", 2, "Cannot use --history-append without --history"],
  ["relay --cluster-name x", 2, "Cannot use --cluster-name without --cluster"],
  ["relay --processes 2 --cluster-credentials x", 2, "Cannot use --cluster-credentials without --cluster"],
  ["relay --history -", 2, "Cannot use --history: expected the name of a file, not -"],
  ["hello --dealy 3s", 2, 'Unknown option "--dealy" (did you mean --delay?)'],
  ["hello --delay 3parsecs", 2, "Cannot use --delay"],
  ["hello --port 65536", 2, "Cannot use --port: expected a port from 0 to 65535"],
  ["files", 2, "Missing option --root (Directory to serve): expected a value, as in --root ."],
  ["files --root", 2, "Cannot use --root without a value: expected a value, as in --root ."],
  [
    "files --root /no/such/place",
    1,
    'Cannot serve the files of "/no/such/place": no such file or directory',
  ],
  ["files --root /etc/passwd", 1, 'Cannot serve the files of "/etc/passwd": it is not a directory'],
  ["chat --users /no/such/file", 1, 'Cannot read the accounts in "/no/such/file": no such file'],
  ["proxy", 2, "Missing option --to"],
  ["proxy --to nowhere", 2, "Cannot use --to: expected HOST:PORT"],
  ["proxy --to [::1]:1 --proxy-in 10.0.0.0/33", 2, "Cannot use --proxy-in: expected an IP address"],
  ["balance --to [::1]:1 --policy luck", 2, "Cannot use --policy: expected one of round-robin"],
  ["balance --to [::1]:1 --to [::1]:1", 2, "Cannot use --to: it names a backend twice"],
  [
    "echo --host 192.0.2.1 --port 0",
    1,
    "Cannot listen on 192.0.2.1 port 0: this machine has no such address",
  ],
  ["udp --host 192.0.2.1 --port 0", 1, "Cannot listen on 192.0.2.1 port 0: this machine has no such address"],
];

for (const [args, expected, message] of REFUSED) {
  Deno.test(`server.ts ${args} prints one line and exits with ${expected}`, async () => {
    const { code, out, err } = await refusalOf("server.ts", args.split(" "));
    assertEquals([code, out], [expected, ""]);
    assertEquals(err.trimEnd().split("\n").length, 1, err);
    assertStringIncludes(err, message);
  });
}

for (const name of ["echo", "udp"]) {
  Deno.test(`server.ts suggests --port when its port is in use by ${name}, and exits with 1`, async () => {
    await using server = await ServerProcess.start(name);
    const others = name === "udp" ? ["udp"] : Object.keys(SERVICES).filter((other) => other !== "udp");
    await Promise.all(others.map(async (other) => {
      const { options = [] } = SERVICES[other]!;
      const at = ["--host", "127.0.0.1", "--port", `${server.port}`];
      const { code, err } = await runServer([other, ...options, ...at]);
      assertEquals([other, code, err], [
        other,
        1,
        `error: Cannot listen on 127.0.0.1 port ${server.port}: the port is in use; choose another with ` +
        "--port, or a free one with --port 0\n",
      ]);
    }));
  });
}

Deno.test("server.ts suggests another path when its Unix socket is in use, and exits with 1", async () => {
  await using dir = new TempDir();
  const host = `unix:${dir.path}/socket`;
  await using _server = await ServerProcess.startAnywhere("echo", "--host", host);
  const only = await runServer(["echo", "--host", host]);
  assertEquals([only.code, only.err], [
    1,
    `error: Cannot listen on ${host}: the socket is in use; choose another path with --host\n`,
  ]);
  const both = await runServer(["echo", "--host", "127.0.0.1", "--host", host, "--port", "0"]);
  assertEquals([both.code, both.err], [
    1,
    `error: Cannot listen on 127.0.0.1, ${host} port 0: the port or the socket is in use; choose another with ` +
    "--port or --host\n",
  ]);
});

Deno.test("server.ts drains on the first SIGTERM: pending answers are sent", async () => {
  await using server = await ServerProcess.start("relay");
  await using client = await connect({ port: server.port });
  const lines = client[Symbol.asyncIterator]();
  client.send("message held until the server drains");
  assertEquals((await lines.next()).value, "message held until the server drains");
  server.signal("SIGTERM");
  await server.remarked("draining");
  client.send("ok held until the server drains");
  assertEquals(await Array.fromAsync(lines), [
    "error server is draining: connections end within 10000 ms",
    "ok held until the server drains",
  ]);
  await client.close();
  assertEquals((await server.ended()).code, 0);
});

Deno.test("server.ts closes on the second SIGTERM while a client waits", async () => {
  await using server = await ServerProcess.start("hello", "--delay", "10m", "--drain-timeout", "10m");
  await using client = await connect({ port: server.port });
  client.send("GET");
  await server.until(({ delayed }) => delayed === 1);
  server.signal("SIGTERM");
  await server.remarked("draining");
  // A repetition within 100 ms counts as the first signal, so this one repeats until it is accepted.
  const repeating = setInterval(() => server.signal("SIGTERM"), 50);
  await server.remarked("closing immediately").finally(() => clearInterval(repeating));
  const { code, err } = await server.ended();
  assertEquals(code, 0);
  assertStringIncludes(err, "SIGTERM: closing immediately");
});

Deno.test("server.ts drains when one SIGTERM arrives twice, as timeout(1) sends it", async () => {
  await using server = await ServerProcess.start("hello", "--delay", "300ms");
  await using client = await connect({ port: server.port });
  client.send("GET");
  await server.until(({ delayed }) => delayed === 1);
  server.signal("SIGTERM");
  server.signal("SIGTERM");
  assertEquals((await Array.fromAsync(client)).at(-1), "Hello World!");
  await client.close();
  const { code, err } = await server.ended();
  assertEquals([code, err.includes("closing immediately")], [0, false]);
});

Deno.test("server.ts --verbose logs how each connection ended and its byte counts", async () => {
  await using server = await ServerProcess.start("chat", "--verbose");
  await using client = await connect({ port: server.port });
  client.send("/quit");
  const answer = await Array.fromAsync(client);
  assertEquals(answer, ["-- Welcome. What is your name?", "-- Bye"]);
  await client.close();
  await server.remarked("closed, local: quit; 6 bytes in, 38 out");
});

Deno.test("server.ts echo --verbose logs the remaining counts at the end", async () => {
  await using server = await ServerProcess.start("echo", "--verbose");
  await using client = await connect({ port: server.port });
  for (const line of ["one", "two", "three"]) client.send(line);
  await client.closeWrite();
  assertEquals((await Array.fromAsync(client)).length, 3);
  await client.close();
  assertMatch((await server.stop()).err, /^3 messages in [\d.]+ s, \d+ msg\/s; 3 in total$/m);
});

Deno.test("server.ts proxy logs each connection that it has passed on", async () => {
  await using echo = await ServerProcess.start("echo");
  await using server = await ServerProcess.start("proxy", "--to", `127.0.0.1:${echo.port}`);
  await using client = await connect({ port: server.port });
  client.send("hello");
  await client[Symbol.asyncIterator]().next();
  await client.close();
  await server.remarked(`closed, natural; to 127.0.0.1:${echo.port}, 6 bytes there, 6 back, `);
});

Deno.test("closing() escapes control characters", pure, () => {
  const remote = { hostname: "127.0.0.1", port: 4000 };
  assertEquals(
    closing(remote, { type: "reset", error: new Error("\x1b[2Jgone\n") }),
    "127.0.0.1:4000 closed, reset: \\x1b[2Jgone\\n",
  );
});

Deno.test(
  "EchoCounter reports only intervals with messages",
  pure,
  async () => {
    const clock = new VirtualClock();
    const lines: string[] = [];
    let messages = 0;
    const counter = new EchoCounter({
      count: () => messages,
      show: (line) => lines.push(line),
      clock,
      interval: 2000,
    });
    messages = 1000;
    await clock.advance(2000);
    await clock.advance(2000);
    messages = 1010;
    await clock.advance(500);
    counter.stop();
    await clock.advance(10_000);
    assertEquals(lines, [
      "1000 messages in 2.0 s, 500 msg/s; 1000 in total",
      "10 messages in 0.5 s, 20 msg/s; 1010 in total",
    ]);
  },
);

Deno.test({
  name: "server.ts relay reports a full history disk, and keeps serving",
  // A Linux device on which every write fails as on a full disk.
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using server = await ServerProcess.start("relay", "--history", "/dev/full");
    const client = await connect({ port: server.port });
    assertEquals((await client.close()).type, "natural");
    await server.remarked(
      'error: Cannot write the history "/dev/full": No space left on device; the relay keeps serving without it\n',
    );
    const later = await connect({ port: server.port });
    assertEquals((await later.close()).type, "natural");
    assertEquals((await server.stop()).code, 0);
  },
});
