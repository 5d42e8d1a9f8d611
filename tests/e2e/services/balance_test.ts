/** A balancer and its backends as processes: backends are killed and drained while clients connect. */
import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { connect, ConnectionClosedError } from "../../../socket/mod.ts";
import { ServerProcess } from "../../_util/programs/program.ts";
import { until } from "../../_util/until.ts";
import { ownAddress } from "../../_util/network/own_address.ts";

/** The state of one backend, as the balancer reports it. */
interface BackendState {
  readonly name: string;
  readonly healthy: boolean;
  readonly draining: boolean;
  readonly open: number;
  readonly total: number;
}

/** A balancer and this number of echo servers. */
class Balanced implements AsyncDisposable {
  readonly balancer: ServerProcess;
  readonly backends: readonly ServerProcess[];
  readonly #host: string;

  private constructor(balancer: ServerProcess, backends: readonly ServerProcess[], host: string) {
    this.balancer = balancer;
    this.backends = backends;
    this.#host = host;
  }

  static async start(count: number, ...options: readonly string[]): Promise<Balanced> {
    const host = ownAddress(); // No other program takes the port of a backend that has ended.
    const backends = await Promise.all(
      Array.from({ length: count }, () => ServerProcess.startAnywhere("echo", "--host", host)),
    );
    const to = backends.flatMap(({ port }) => ["--to", `${host}:${port}`]);
    return new Balanced(await ServerProcess.start("balance", ...to, ...options), backends, host);
  }

  /** Returns the balancer's name of a backend. */
  nameOf(index: number): string {
    return `${this.#host}:${this.backends[index]!.port}`;
  }

  /** Waits until `holds` returns `true` for the state of a backend. */
  async until(index: number, holds: (state: BackendState) => boolean): Promise<BackendState> {
    const stateOf = ({ backends }: Readonly<Record<string, unknown>>) => (backends as BackendState[])[index]!;
    return stateOf(await this.balancer.until((state) => holds(stateOf(state))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of [this.balancer, ...this.backends]) await process[Symbol.asyncDispose]();
  }
}

/** Clients that repeatedly connect and send one request. */
class Load {
  answered = 0;
  /** Clients whose connection ended without an answer. */
  cut = 0;
  #stopped = false;
  readonly #clients: readonly Promise<void>[];

  constructor(port: number) {
    this.#clients = Array.from({ length: 20 }, (_, client) => this.#run(port, `client ${client}`));
  }

  /** Waits for this number of further answers. */
  async more(count: number): Promise<void> {
    const enough = this.answered + count;
    await until(() => this.answered >= enough);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async #run(port: number, line: string): Promise<void> {
    while (!this.#stopped) {
      const answer = await ask(port, line);
      if (answer === undefined) this.cut++;
      else {
        assertEquals(answer, line);
        this.answered++;
      }
    }
  }
}

async function ask(port: number, line: string): Promise<string | undefined> {
  await using client = await connect({ port });
  client.send(line);
  try {
    return (await client[Symbol.asyncIterator]().next()).value;
  } catch (error) {
    if (!(error instanceof ConnectionClosedError)) throw error;
    return undefined;
  }
}

Deno.test("server.ts balance drains a backend under load without affecting clients", async () => {
  await using balanced = await Balanced.start(3);
  const { balancer, backends: [leaving] } = balanced;
  const load = new Load(balancer.port);
  await load.more(200);
  await balancer.say(`drain ${balanced.nameOf(0)}`);
  assertEquals(await balancer.next("draining"), { event: "draining", backend: balanced.nameOf(0) });
  const { total } = await balanced.until(0, ({ draining, open }) => draining && open === 0);
  await load.more(200);
  assertEquals((await leaving!.stop()).code, 0);
  await load.more(200);
  await load.stop();
  assertEquals(load.cut, 0);
  assertGreater(total, 0);
  assertEquals((await balanced.until(0, () => true)).total, total);
});

Deno.test("server.ts balance sends clients to a backend again when it is undrained", async () => {
  await using balanced = await Balanced.start(2);
  const { balancer, backends } = balanced;
  await balancer.say(`drain ${balanced.nameOf(0)}`);
  await balancer.next("draining");
  for (let count = 0; count < 4; count++) assertEquals(await ask(balancer.port, "hello"), "hello");
  assertEquals((await backends[0]!.state()).messages, 0);
  await balancer.say(`undrain ${balanced.nameOf(0)}`);
  assertEquals(await balancer.next("undrained"), { event: "undrained", backend: balanced.nameOf(0) });
  for (let count = 0; count < 4; count++) assertEquals(await ask(balancer.port, "hello"), "hello");
  assertEquals((await backends[0]!.state()).messages, 2);
});

Deno.test("server.ts balance --processes drains a backend in every process, and in those that replace them", async () => {
  await using balanced = await Balanced.start(2, "--processes", "2");
  const { balancer, backends } = balanced;
  // Enough connections for both processes.
  const ask20 = () => Promise.all(Array.from({ length: 20 }, () => ask(balancer.port, "hello")));
  await balancer.say("drain 127.0.0.1:1");
  assertStringIncludes(
    String((await balancer.next("error")).message),
    "Cannot find backend 127.0.0.1:1: expected",
  );
  await balancer.say(`drain ${balanced.nameOf(0)}`);
  assertEquals(await balancer.next("draining"), { event: "draining", backend: balanced.nameOf(0) });
  await balanced.until(0, ({ draining }) => draining);
  assertEquals(await ask20(), Array(20).fill("hello"));
  balancer.signal("SIGHUP");
  await balancer.remarked("Process 2 of 2 replaced");
  await balanced.until(0, ({ draining }) => draining);
  assertEquals(await ask20(), Array(20).fill("hello"));
  assertEquals((await backends[0]!.state()).messages, 0);
  await balancer.say(`undrain ${balanced.nameOf(0)}`);
  await balancer.next("undrained");
  await balanced.until(0, ({ draining }) => !draining);
  assertEquals(await ask20(), Array(20).fill("hello"));
  const messages = Number((await backends[0]!.state()).messages);
  assertGreater(messages, 0);
  // The sum of both processes.
  await balanced.until(0, ({ total }) => total === messages);
});

Deno.test("server.ts balance closes only the connections of a backend when it is killed", async () => {
  await using balanced = await Balanced.start(3, "--check-interval", "100ms", "--fall", "1");
  const { balancer, backends } = balanced;
  const load = new Load(balancer.port);
  await load.more(200);
  assertEquals(load.cut, 0);
  backends[1]!.signal("SIGKILL");
  await balancer.remarked(`Backend ${balanced.nameOf(1)} is unreachable`);
  const { total } = await balanced.until(1, ({ healthy }) => !healthy);
  await load.more(200);
  await load.stop();
  assertEquals((await balanced.until(1, () => true)).total, total, "it was given clients though it was dead");
  const { cut } = load;
  assert(cut <= 20, `${cut} of 20 clients cut off by one kill`);
  const { err } = await balancer.stop();
  // Some look natural, because the OS closes idle connections of a killed process cleanly.
  const unanswered = err.split("\n").filter((line) => line.includes(" there, 0 back, "));
  assertEquals(unanswered.filter((line) => !line.includes(`; to ${balanced.nameOf(1)}, `)), []);
  assertEquals(unanswered.length, cut);
});

Deno.test("server.ts lists the backends when a control command names an unknown one", async () => {
  await using balanced = await Balanced.start(1);
  const { balancer, backends: [echo] } = balanced;
  const answers = async (server: ServerProcess, line: string) => {
    await server.say(line);
    return (await server.next("error")).message;
  };
  assertEquals(
    await answers(balancer, "drain localhost:1"),
    `Cannot find backend localhost:1: expected one of ${balanced.nameOf(0)}`,
  );
  assertEquals(
    await answers(balancer, "drain"),
    'Unknown command "drain": expected state, suspend, resume, limits NAME=VALUE, drain HOST:PORT, or undrain HOST:PORT',
  );
  assertEquals(
    await answers(echo!, "undrain 127.0.0.1:1"),
    "Cannot undrain: this service has no backends to choose from",
  );
  assertEquals(
    await answers(echo!, "stop"),
    'Unknown command "stop": expected state, suspend, resume, or limits NAME=VALUE',
  );
});
