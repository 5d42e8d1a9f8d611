// The server as a service manager such as systemd runs it; the tests play the service manager.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { nativeNetwork } from "../../../native/mod.ts";
import type { NativeListener } from "../../../native/listener.ts";
import { runClient, runServer, ServerProcess } from "../../_util/programs/program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const onLinux = { ignore: Deno.build.os !== "linux" };

/** The socket of a service manager that waits for notifications. */
class NotifySocket implements Disposable {
  readonly #socket: Deno.DatagramConn;

  constructor(path: string) {
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path });
  }

  /** Returns the next notification, and the id of the process that sent it. */
  async next(): Promise<{ readonly state: string; readonly pid: number }> {
    const [bytes, from] = await this.#socket.receive();
    const name = "path" in from ? from.path : "";
    return { state: new TextDecoder().decode(bytes), pid: Number(/-(\d+)$/.exec(name)?.[1]) };
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

for (const [name, args] of [["one process", []], ["several", ["--processes", "2"]]] as const) {
  Deno.test(
    `server.ts notifies the service manager when it is ready and when it stops, as ${name}`,
    onLinux,
    async () => {
      await using folder = new TempDir();
      const path = `${folder.path}/notify`;
      using manager = new NotifySocket(path);
      await using server = await ServerProcess.startBy(
        `export NOTIFY_SOCKET=${path}; exec "$@"`,
        "echo",
        ...args,
      );
      assertEquals(await manager.next(), { state: "READY=1", pid: server.pid });
      const stopped = server.stop();
      assertEquals(await manager.next(), { state: "STOPPING=1", pid: server.pid });
      assertEquals((await stopped).code, 0);
    },
  );
}

Deno.test(
  "server.ts notifies a service manager whose socket has no file, and feeds its watchdog",
  onLinux,
  async () => {
    const name = `okline-test-${crypto.randomUUID()}`;
    using manager = new NotifySocket(`\0${name}`);
    await using server = await ServerProcess.startBy(
      `export NOTIFY_SOCKET=@${name} WATCHDOG_USEC=100000 WATCHDOG_PID=$$; exec "$@"`,
      "echo",
    );
    assertEquals((await manager.next()).state, "READY=1");
    for (let count = 0; count < 3; count++) {
      assertEquals(await manager.next(), { state: "WATCHDOG=1", pid: server.pid });
    }
  },
);

Deno.test("server.ts serves without a service manager that is gone, and says so", onLinux, async () => {
  await using server = await ServerProcess.startBy('export NOTIFY_SOCKET=/no/such/socket; exec "$@"', "echo");
  await server.remarked("Cannot notify the service manager: ");
  assertEquals((await runClient(["echo", "hello", "--port", `${server.port}`])).out, "hello\n");
  assertEquals((await server.stop()).code, 0);
});

/** A listening socket that the processes inherit that this process starts, as those from systemd. */
class ActivationSocket implements AsyncDisposable {
  readonly #network = nativeNetwork();
  readonly #listener = this.#network.listen({ port: 0 }) as NativeListener;
  readonly port = this.#listener.address.port;

  /** A script that starts a service as systemd does: the socket is descriptor 3. */
  readonly script = `exec 3<&${this.#listener.descriptor}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"`;

  constructor() {
    this.#listener.inheritable = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#network[Symbol.asyncDispose]();
  }
}

async function echoed(connection: Deno.Conn, line: string): Promise<string> {
  await connection.write(new TextEncoder().encode(`${line}\n`));
  const into = new Uint8Array(64);
  return new TextDecoder().decode(into.subarray(0, await connection.read(into) ?? 0));
}

for (const [name, args] of [["one process", []], ["several", ["--processes", "2"]]] as const) {
  Deno.test(
    `server.ts serves connections that came before it started, and between two starts, as ${name}`,
    onLinux,
    async () => {
      await using socket = new ActivationSocket();
      for (const line of ["first", "second"]) {
        using early = await Deno.connect({ hostname: "127.0.0.1", port: socket.port });
        await using server = await ServerProcess.startBy(socket.script, "echo", ...args);
        assertEquals(server.port, socket.port);
        assertEquals(await echoed(early, line), `${line}\n`);
        early.close();
        await server.until(({ connections }) => connections === 0);
        assertEquals((await server.stop()).code, 0);
      }
    },
  );
}

Deno.test("server.ts ignores sockets that systemd passed to another process", onLinux, async () => {
  await using socket = new ActivationSocket();
  await using server = await ServerProcess.startBy('export LISTEN_PID=1 LISTEN_FDS=1; exec "$@"', "echo");
  assertEquals(server.port === socket.port, false);
});

Deno.test("server.ts rejects an inherited socket that it cannot accept on", onLinux, async () => {
  const file = await runServer(["echo", "--listen-fd", "251"]);
  assertEquals(file.code, 1);
  assertStringIncludes(file.err, "Cannot listen on descriptor 251: expected a listening socket");
  const deno = await runServer(["echo", "--listen-fd", "251", "--transport", "deno"]);
  assertEquals(deno.code, 2);
  assertStringIncludes(deno.err, "--transport deno");
});
