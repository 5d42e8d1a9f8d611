import { assertEquals } from "@std/assert";
import { SocketCount } from "../../../loadtest/process/socket_count.ts";

Deno.test("SocketCount.opened() is null for a process that did not exist before", () => {
  const count = new SocketCount([Deno.pid]);
  assertEquals(count.opened([Deno.pid, 2 ** 22 + 1]), null);
});

Deno.test("SocketCount.opened() counts the sockets of all processes, and does not offset leaked ones", async () => {
  const old = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using child = new SocketHolder();
  await child.next();
  const count = new SocketCount([Deno.pid, child.pid]);
  old.close();
  using _own = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await child.next();
  assertEquals(count.opened([child.pid]), 1);
  // Other tests of this process may open sockets too.
  assertEquals((count.opened([Deno.pid, child.pid]) ?? 0) >= 2, true);
});

const HOLDER = `for await (const _ of Deno.stdin.readable) {
  globalThis.held = [globalThis.held, Deno.listen({ hostname: "127.0.0.1", port: 0 })];
  console.log("open");
}`;

/** A process that opens one more socket for each line. */
class SocketHolder implements AsyncDisposable {
  readonly #process = new Deno.Command(Deno.execPath(), {
    args: ["eval", HOLDER],
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  readonly #input = this.#process.stdin.getWriter();
  readonly #output = this.#process.stdout.getReader();

  get pid(): number {
    return this.#process.pid;
  }

  async next(): Promise<void> {
    await this.#input.write(new TextEncoder().encode("\n"));
    await this.#output.read();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#process.status;
  }
}
