/**
 * What a relay's clients see when their server is killed, or replaced while it runs.
 *
 * `deno task recovery` runs both in full: `kill -9` under 5,000 clients, and a rolling restart under load.
 *
 * @module
 */
import { CURE_VALUE, CURE_VARIABLE } from "../cli/starvation.ts";
import { OwnServer } from "../loadtest/own_server.ts";
import { loadTestCommand } from "../programs/self.ts";
import { type RelayClientOptions, type RelayClientResult, runRelayClient } from "../relay/relay_client.ts";
import { type RelayServerStats, startRelay } from "../relay/relay_server.ts";

/** What became of the clients. */
export interface Recovery {
  readonly clients: number;
  readonly acked: number;
  /** Attempts besides the first of each client. */
  readonly resent: number;
  /** Oks for a message that had its ok before. */
  readonly duplicates: number;
}

/** How many clients, and in how many ms they start. */
export interface Load {
  readonly clients: number;
  readonly window: number;
}

/** Starts clients evenly over a window; each holds what it gets for up to two windows, so that most are there at its end. */
class Clients {
  readonly #runs: Promise<RelayClientResult>[] = [];
  readonly #load: Load;
  #duplicates = 0;
  #connected = new Set<number>();
  readonly #half = Promise.withResolvers<void>();
  readonly #all = Promise.withResolvers<void>();

  constructor(load: Load, target: Pick<RelayClientOptions, "hostname" | "port">) {
    this.#load = load;
    for (let index = 0; index < load.clients; index++) {
      this.#runs.push(this.#run(index, target));
    }
  }

  /** Half of the clients have been connected. */
  get half(): Promise<void> {
    return this.#half.promise;
  }

  /** Every client has been connected. */
  get all(): Promise<void> {
    return this.#all.promise;
  }

  async done(): Promise<Recovery> {
    const results = await Promise.all(this.#runs);
    return {
      clients: results.length,
      acked: results.filter(({ acknowledged }) => acknowledged).length,
      resent: results.reduce((sum, { attempts }) => sum + attempts - 1, 0),
      duplicates: this.#duplicates,
    };
  }

  async #run(
    index: number,
    target: Pick<RelayClientOptions, "hostname" | "port">,
  ): Promise<RelayClientResult> {
    const { clients, window } = this.#load;
    await new Promise((resolve) => setTimeout(resolve, window * index / clients));
    const text = `client ${index}`;
    return await runRelayClient({
      ...target,
      text,
      timeout: 20_000,
      replyDelay: { draw: () => Math.random() * 2 * window, longest: 2 * window },
      observer: {
        connected: () => {
          const { size } = this.#connected.add(index);
          if (size >= clients / 2) this.#half.resolve();
          if (size === clients) this.#all.resolve();
        },
        acknowledged: (_, given, own) => {
          if (!own && given === text) this.#duplicates++;
        },
      },
    });
  }
}

async function startOwn(port: number): Promise<OwnServer> {
  return await OwnServer.start({
    command: loadTestCommand("own-server", "--ack-timeout", "20s"),
    env: { [CURE_VARIABLE]: CURE_VALUE },
    hostnames: ["127.0.0.1"],
    port,
  });
}

/** Kills the server when every client has been connected, and starts it again on its port. */
export async function killAndRestart(load: Load): Promise<Recovery & { readonly left: number }> {
  const first = await startOwn(0);
  const target = first.addresses[0]!;
  const clients = new Clients(load, target);
  await clients.all;
  Deno.kill(first.pid, "SIGKILL");
  await first.ended;
  const second = await startOwn(target.port);
  const recovery = await clients.done();
  const state = await second.untilZero(10_000);
  await second.stop();
  return { ...recovery, left: state === null ? NaN : state.connections + state.pending + state.timers };
}

/** Starts a second server on the port of the first when half of the clients have been connected, and drains the first. */
export async function rollingRestart(
  load: Load,
): Promise<Recovery & { readonly old: RelayServerStats; readonly takenOver: number }> {
  const old = startRelay({ reusePort: true });
  const clients = new Clients(load, { hostname: "127.0.0.1", port: old.port });
  await clients.half;
  await using young = startRelay({ reusePort: true, port: old.port });
  await old.drain();
  const recovery = await clients.done();
  await young.until(({ connections }) => connections === 0);
  return { ...recovery, old: old.stats(), takenOver: young.stats().settled };
}

if (import.meta.main) {
  const load = { clients: Number(Deno.args[0] ?? 5000), window: 3000 };
  const report = { kill: await killAndRestart(load), rolling: await rollingRestart(load) };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`));
  const { kill, rolling } = report;
  const lost = kill.clients - kill.acked + rolling.clients - rolling.acked;
  Deno.exit(lost === 0 && kill.left === 0 ? 0 : 1);
}
