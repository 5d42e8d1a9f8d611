/** A network namespace for one process, whose network can be cut off. Linux only, and only as root. @module */

let created = 0;

/** A namespace that is linked to this machine by a pair of virtual interfaces. */
export class NodeNamespace implements AsyncDisposable {
  /** Address of this machine, as the namespace sees it, and of the namespace. */
  readonly outside: string;
  readonly inside: string;
  readonly #name: string;
  readonly #link: string;

  private constructor(number: number) {
    // A network of four addresses, which no other process uses that has namespaces.
    const network = `10.${128 + (Deno.pid >> 8) % 128}.${Deno.pid % 256}`;
    const first = 4 * (number % 64);
    this.outside = `${network}.${first + 1}`;
    this.inside = `${network}.${first + 2}`;
    this.#name = `okline-${Deno.pid}-${number}`;
    this.#link = `okl${Deno.pid % 100_000}x${number}`;
  }

  /** Whether namespaces can be made here. */
  static async isSupported(): Promise<boolean> {
    if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
    try {
      await using _ = await NodeNamespace.create();
      return true;
    } catch {
      return false;
    }
  }

  /** @throws {Error} If `ip` fails. */
  static async create(): Promise<NodeNamespace> {
    const namespace = new NodeNamespace(++created);
    const link = namespace.#link;
    await ip("netns", "add", namespace.#name);
    await ip("link", "add", link, "type", "veth", "peer", "name", "node", "netns", namespace.#name);
    await ip("addr", "add", `${namespace.outside}/30`, "dev", link);
    await ip("link", "set", link, "up");
    for (const device of ["lo", "node"]) await namespace.#ip("link", "set", device, "up");
    await namespace.#ip("addr", "add", `${namespace.inside}/30`, "dev", "node");
    return namespace;
  }

  /** The beginning of a command that runs in the namespace. */
  get command(): readonly string[] {
    return ["ip", "netns", "exec", this.#name];
  }

  /** Loses every packet in both directions, until `reconnect`. */
  async disconnect(): Promise<void> {
    await this.#ip("link", "set", "node", "down");
  }

  async reconnect(): Promise<void> {
    await this.#ip("link", "set", "node", "up");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ip("link", "del", this.#link);
    await ip("netns", "del", this.#name);
  }

  #ip(...args: readonly string[]): Promise<void> {
    return ip("-n", this.#name, ...args);
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", {
    args: [...args],
    stdout: "null",
    stderr: "piped",
  })
    .output();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
