/** Operating a running server: its control channel, SIGUSR2, and its errors. */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ExitError } from "../../../cli/terminal/exit.ts";
import { Log } from "../../../cli/terminal/log.ts";
import { operate } from "../../../cli/server/operate.ts";
import type { RunningService } from "../../../cli/server/service_command.ts";
import { connect, type Connection } from "../../../socket/mod.ts";
import { systemError } from "../../../internal/os_errors.ts";
import { ServerProcess } from "../../_util/programs/program.ts";
import { pure } from "../../_util/permissions.ts";

/** A peer that is served. */
class Guest implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #lines: AsyncIterableIterator<string>;

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#lines = connection[Symbol.asyncIterator]();
  }

  static async enter(server: ServerProcess): Promise<Guest> {
    return new Guest(await connect({ port: server.port }));
  }

  say(line: string): void {
    this.#connection.send(line);
  }

  async hear(): Promise<string | undefined> {
    return (await this.#lines.next()).value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}

/** Ways to suspend and resume; they settle when the server has confirmed. */
interface Ways {
  suspend(server: ServerProcess): Promise<unknown>;
  resume(server: ServerProcess): Promise<unknown>;
}

const WAYS: Readonly<Record<string, Ways>> = {
  "--control": {
    suspend: async (server) => {
      await server.say("suspend");
      assertEquals(await server.next("suspended"), { event: "suspended" });
    },
    resume: async (server) => {
      await server.say("resume");
      assertEquals(await server.next("resumed"), { event: "resumed" });
    },
  },
  "SIGUSR2": {
    suspend: async (server) => {
      server.signal("SIGUSR2");
      await server.remarked("SIGUSR2: accepting is suspended; repeat to resume");
    },
    resume: async (server) => {
      server.signal("SIGUSR2");
      await server.remarked("SIGUSR2: accepting again");
    },
  },
};

for (const [name, { suspend, resume }] of Object.entries(WAYS)) {
  Deno.test({
    name: `server.ts suspends and resumes by ${name}: open connections are served, new ones are queued`,
    ignore: Deno.build.os === "windows" && name === "SIGUSR2",
    fn: async () => {
      await using server = await ServerProcess.start("echo");
      await using early = await Guest.enter(server);
      early.say("I am here");
      assertEquals(await early.hear(), "I am here");
      await suspend(server);
      await using late = await Guest.enter(server);
      late.say("and I wait");
      await using later = await Guest.enter(server);
      // Answered when whatever came before has been dealt with.
      early.say("still here");
      assertEquals(await early.hear(), "still here");
      const { suspended, accepted, messages } = await server.state();
      assertEquals([suspended, accepted, messages], [true, 1, 2]);
      await resume(server);
      assertEquals(await late.hear(), "and I wait");
      later.say("and I");
      assertEquals(await later.hear(), "and I");
      const state = await server.state();
      assertEquals([state.suspended, state.accepted], [false, 3]);
    },
  });
}

Deno.test("server.ts drains when suspended, and then refuses to resume", async () => {
  await using server = await ServerProcess.start("relay");
  await using guest = await Guest.enter(server);
  guest.say("message held");
  assertEquals(await guest.hear(), "message held");
  await server.say("suspend");
  await server.next("suspended");
  server.signal("SIGTERM");
  await server.remarked("draining");
  for (const word of ["suspend", "resume"]) {
    await server.say(word);
    assertEquals(await server.next("error"), {
      event: "error",
      message: `Cannot ${word}: the server is draining`,
    });
  }
  await guest[Symbol.asyncDispose]();
  assertEquals((await server.ended()).code, 0);
});

Deno.test("server.ts udp reports that it cannot be suspended", async () => {
  await using server = await ServerProcess.start("udp");
  for (const word of ["suspend", "resume"]) {
    await server.say(word);
    assertEquals((await server.next("error")).message, `Cannot ${word}: this service takes no connections`);
  }
});

/** Operates a service that fails. */
function failing(error: Error): Promise<void> {
  const service: RunningService = {
    addresses: [],
    finished: Promise.reject(error),
    stats: () => ({}),
    shutdown: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  return operate(service, {
    log: new Log({ quiet: true }),
    onSignal: () => {},
    control: false,
    untilStdinEnds: false,
    hungUp: () => false,
    reload: undefined,
    limits: undefined,
  });
}

Deno.test(
  "operate() ends with one line when an OS error stops the service",
  pure,
  async () => {
    const error = systemError(new Error("Bad file descriptor"), "EBADF");
    const { message, cause } = await assertRejects(
      () => failing(error),
      ExitError,
      "Cannot keep serving: Bad file descriptor",
    );
    assertStrictEquals(cause, error);
    assertEquals(message.includes("\n"), false);
  },
);

Deno.test(
  "operate() rejects with the error when the program has a bug",
  pure,
  async () => {
    const error = new TypeError("Not a function");
    assertStrictEquals(await assertRejects(() => failing(error)), error);
  },
);
