import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Accounts, type ChatOptions, formatAccount, startChat } from "../../../services/mod.ts";
import { connect, type Connection } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { exchange, talk } from "../../_util/network/exchange.ts";

interface Guest {
  connection: Connection;
  lines: AsyncIterableIterator<string>;
  /** Reads up to a line that contains `text`, and returns all lines read. */
  upTo(text: string): Promise<string[]>;
}

async function enter(port: number, name: string): Promise<Guest> {
  const guest = guestOf(await connect({ port }));
  guest.connection.send(name);
  await guest.upTo(`Hello ${name}.`);
  return guest;
}

function guestOf(connection: Connection): Guest {
  const lines = connection[Symbol.asyncIterator]();
  return {
    connection,
    lines,
    async upTo(text) {
      const read: string[] = [];
      for (let next = await lines.next(); !next.done; next = await lines.next()) {
        read.push(next.value);
        if (next.value.includes(text)) return read;
      }
      throw new Error(`Expected a line with ${text}, got ${JSON.stringify(read)}`);
    },
  };
}

Deno.test("startChat() sends each line to 400 members once and in order", async () => {
  await using server = startChat();
  const guests: Guest[] = [];
  for (let index = 0; index < 400; index++) guests.push(await enter(server.port, `guest${index}`));
  const [speaker, ...others] = guests;
  const said = Array.from({ length: 5 }, (_, index) => `guest0: line ${index}`);
  for (let index = 0; index < said.length; index++) speaker!.connection.send(`line ${index}`);
  for (const guest of others) {
    const heard = (await guest.upTo("line 4")).filter((line) => line.startsWith("guest0: "));
    assertEquals(heard, said);
  }
  // The speaker received joins and leaves, but not its own lines.
  others[0]!.connection.send("/msg guest0 marker");
  const heard = await speaker!.upTo("marker");
  assertEquals(heard.filter((line) => line.includes("line ")), []);
  assertEquals(heard.filter((line) => line.endsWith(" joined")).length, 399);
  assertEquals(server.stats().names.length, 400);
  await Promise.all(guests.map(({ connection }) => connection.close()));
  await server.until((stats) => stats.connections === 0);
  assertEquals(server.stats().names, []);
});

Deno.test("startChat() accepts lines that end in CRLF", async () => {
  await using server = startChat();
  const ann = await enter(server.port, "ann");
  const answer = await exchange(server.port, "bob\r\nhello\r\n/who\r\n/quit\r\n");
  assertEquals(answer.split("\n"), [
    "-- Welcome. What is your name?",
    "-- Hello bob. 1 other is here; /help lists commands",
    "-- 2 here",
    "-- ann bob",
    "-- Bye",
    "",
  ]);
  assertEquals(await ann.upTo("left"), ["-- bob joined", "bob: hello", "-- bob left"]);
  await ann.connection.close();
});

Deno.test("startChat() announces a client that is cut off, and the others go on", async () => {
  await using server = startChat();
  const ann = await enter(server.port, "ann");
  const bob = await enter(server.port, "bob");
  bob.connection.send("x".repeat(5000));
  await ann.upTo("bob left");
  await bob.upTo("error line is over");
  await Promise.all([ann, bob].map(({ connection }) => connection.close()));
  assertEquals((await server.until((stats) => stats.connections === 0)).closed.framing, 1);
});

/** Starts a room in memory, on a virtual clock. */
function startInMemory(options: ChatOptions = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, capacity: 64 * 1024 });
  const seam = { clock, network };
  const server = startChat({ ...seam, ...options });
  const connectTo = () =>
    clock.runUntil(connect({ ...seam, port: server.port, limits: { maxLine: 8192, writeBuffer: 2 ** 30 } }));
  return {
    clock,
    server,
    connectTo,
    async enter(name: string): Promise<Guest> {
      const connection = await connectTo();
      connection.send(name);
      const guest = guestOf(connection);
      await clock.runUntil(guest.upTo(`Hello ${name}.`));
      return guest;
    },
    async end(guests: readonly Guest[]) {
      await clock.runUntil(Promise.all(guests.map(({ connection }) => connection.close())));
      await clock.runUntil(server.close());
      assertEquals([clock.timers, network.stats()], [0, { listeners: 0, sockets: 0, queued: 0 }]);
    },
  };
}

Deno.test("startChat() cuts off a listener that does not read, and the others hear everything", async () => {
  const { clock, server, enter, end } = startInMemory({ limits: { writeBuffer: 512 * 1024 } });
  const deaf = await enter("deaf");
  const ann = await enter("ann");
  const bob = await enter("bob");
  const line = "y".repeat(4000);
  let sent = 0;
  let left = false;
  let worst = 0;
  while (server.stats().closed["slow-reader"] === 0) {
    const before = clock.now();
    ann.connection.send(`${sent++} ${line}`);
    const heard = await clock.runUntil(bob.upTo(line));
    assertEquals(heard.at(-1), `ann: ${sent - 1} ${line}`);
    left ||= heard.includes("-- deaf left");
    worst = Math.max(worst, clock.now() - before);
  }
  // The listener delays the room once, for a limited time.
  assertEquals([worst, clock.now()], [5000, 5000]);
  if (!left) await clock.runUntil(bob.upTo("deaf left"));
  deaf.connection.abort();
  await end([ann, bob]);
});

Deno.test("startChat() slows a flood to the pace of the listeners, and cuts off none of them", async () => {
  const { clock, server, enter, end } = startInMemory();
  const flooder = await enter("flooder");
  const listeners = [];
  for (let index = 0; index < 5; index++) listeners.push(await enter(`guest${index}`));
  const lines = 2000;
  for (let index = 0; index < lines; index++) flooder.connection.send(`${index} ${"x".repeat(4000)}`);
  // Each reads about 400 KB a second.
  const read = listeners.map(async ({ lines: all }) => {
    let heard = 0;
    for await (const line of all) {
      if (!line.startsWith("flooder: ")) continue;
      assert(line.startsWith(`flooder: ${heard} `), line.slice(0, 30));
      if (++heard === lines) return heard;
      await new Promise<void>((resolve) => void clock.after(10, resolve));
    }
    return heard;
  });
  assertEquals(await clock.runUntil(Promise.all(read), { within: 120_000 }), Array(5).fill(lines));
  assertEquals(server.stats().closed["slow-reader"], 0);
  assertLess(server.stats().queuedBytes, 64 * 1024);
  await end([flooder, ...listeners]);
});

Deno.test("startChat() reads from a client no faster than its message rate", async () => {
  const { clock, enter, end } = startInMemory({ limits: { messageRate: 10 } });
  const ann = await enter("ann");
  const bob = await enter("bob");
  await clock.advance(10_000);
  const begun = clock.now();
  for (let index = 0; index < 100; index++) ann.connection.send(`line ${index}`);
  await clock.runUntil(bob.upTo("line 9"));
  assertEquals(clock.now() - begun < 500, true, "a burst of a second passes at once");
  await clock.runUntil(bob.upTo("line 99"));
  const took = clock.now() - begun;
  assert(took > 8500 && took < 9500, `${took} ms`);
  // Other clients are not slowed down, and nothing more comes from a client that was reset.
  const before = clock.now();
  bob.connection.send("hello");
  await clock.runUntil(ann.upTo("bob: hello"));
  assertEquals(clock.now(), before);
  for (let index = 0; index < 100; index++) ann.connection.send(`again ${index}`);
  await clock.runUntil(bob.upTo("again 5"));
  ann.connection.reset();
  const rest = await clock.runUntil(bob.upTo("ann left"));
  assertLess(rest.length, 30);
  await end([bob]);
});

Deno.test("startChat() refuses telnet options, and reads the text between them", async () => {
  await using server = startChat({ access: { auth: { isToken: (token) => token === "sesame" } } });
  await using client = await talk(server.port);
  const [IAC, DO, WILL, WONT, DONT, IP, TIMING_MARK] = [255, 253, 251, 252, 254, 244, 6];
  await client.send(Uint8Array.of(IAC, WILL, 24, IAC, DO, 1));
  await client.send("auth sesame\r\nan");
  await client.send(Uint8Array.of(IAC, IP, IAC, DO, TIMING_MARK));
  await client.send("n\r\n/quit\r\n");
  const answers: number[] = [];
  for await (const bytes of client.connection) answers.push(...bytes);
  const text = new TextDecoder().decode(Uint8Array.from(answers.slice(6)).filter((byte) => byte < 128));
  assertEquals(answers.slice(0, 6), [IAC, DONT, 24, IAC, WONT, 1]);
  assertStringIncludes(text, "-- Hello ann.");
  assertStringIncludes(answers.join(), [IAC, WONT, TIMING_MARK].join());
});

/** Accounts whose checks take time on a clock. */
function slowAccounts(clock: () => VirtualClock) {
  const checked: string[] = [];
  return {
    checked,
    has: (name: string) => name === "ann",
    lookAlike: () => undefined,
    async verify({ name, password }: { name: string; password: string }) {
      checked.push(password);
      await new Promise<void>((resolve) => void clock().after(370, resolve));
      return name === "ann" && password === "right";
    },
  };
}

Deno.test("startChat() accepts an honest login when others guess passwords and hang up", async () => {
  const accounts = slowAccounts(() => room.clock);
  const room = startInMemory({ accounts });
  const { clock, server, connectTo, end } = room;
  for (let index = 0; index < 30; index++) {
    const guesser = await connectTo();
    guesser.send(`/login ann wrong${index}`);
    // Half of them close in order, the others reset.
    if (index % 2 === 0) void guesser.close();
    else await clock.runUntil(guesser.flushed()).then(() => guesser.reset());
  }
  const honest = guestOf(await connectTo());
  const begun = clock.now();
  honest.connection.send("/login ann right");
  await clock.runUntil(honest.upTo("Hello ann."));
  assertLess(clock.now() - begun, 2000);
  assertLess(accounts.checked.length, 5);
  assertEquals(server.stats().queuedLogins, 0);
  await end([honest]);
});

Deno.test("startChat() refuses the oldest logins over the limit, and answers wrong passwords late", async () => {
  const accounts = slowAccounts(() => room.clock);
  const room = startInMemory({ accounts });
  const { clock, connectTo, end } = room;
  const guests: Guest[] = [];
  for (let index = 0; index < 36; index++) {
    const guest = guestOf(await connectTo());
    await clock.runUntil(guest.upTo("What is your name?"));
    guests.push(guest);
    guest.connection.send("/login ann wrong");
  }
  await clock.advance(1);
  // One is being checked, and 32 wait.
  for (const guest of guests.slice(1, 4)) {
    assertEquals(await clock.runUntil(guest.upTo("error")), ["error too many logins are waiting: try again"]);
  }
  assertEquals(room.server.stats().queuedLogins, 32);
  assertEquals(clock.now(), 1);
  assertEquals(await clock.runUntil(guests[0]!.upTo("error")), ["error name or password is wrong"]);
  assertEquals(clock.now(), 1370);
  // Clients that leave, in whatever state, are gone immediately.
  for (const guest of guests) guest.connection.reset();
  await clock.runUntil(() => room.server.stats().connections === 0);
  assertEquals([room.server.stats().queuedLogins, clock.now()], [0, 1370]);
  await end([]);
});

Deno.test("startChat() buffers at most 64 KiB of a client while its login is pending", async () => {
  const accounts = slowAccounts(() => room.clock);
  const room = startInMemory({ accounts });
  const { clock, connectTo, enter, end } = room;
  const bob = await enter("bob");
  const ann = guestOf(await connectTo());
  ann.connection.send("/login ann right");
  const lines = Array.from({ length: 500 }, (_, index) => `${index} ${"z".repeat(1000)}`);
  for (const line of lines) ann.connection.send(line);
  await clock.advance(300);
  // The pipe, one read, and 64 KiB are taken. The rest stays with the client.
  assertGreater(ann.connection.queuedBytes, 200_000);
  const heard = await clock.runUntil(bob.upTo("499 z"));
  assertEquals(heard.filter((line) => line.startsWith("ann: ")), lines.map((line) => `ann: ${line}`));
  await end([ann, bob]);
});

Deno.test("startChat() refuses a name that looks like an account's, and takes the account's in any form", async () => {
  const accounts = Accounts.parse(await formatAccount("Jose\u0301", "secret"));
  await using server = startChat({ accounts });
  const answer = await exchange(
    server.port,
    "J\u043es\u00e9\njos\u00e9\n/login jose\u0301 secret\n/quit\n",
  );
  assertEquals(answer.split("\n").slice(1, 4), [
    "error name is taken: J\u043es\u00e9 looks like Jos\u00e9",
    "error name belongs to an account: /login jos\u00e9 PASSWORD",
    "-- Hello jos\u00e9. 0 others are here; /help lists commands",
  ]);
});

Deno.test("startChat() gives an account's name only to a client with its password", async () => {
  const accounts = Accounts.parse(`# accounts\n${await formatAccount("ann", "open sesame")}\n`);
  await using server = startChat({ accounts });
  const answer = await exchange(
    server.port,
    "ann\n/login ann wrong\n/login nobody x\n/login ANN open sesame\n/quit\n",
  );
  assertEquals(answer.split("\n"), [
    "-- Welcome. What is your name?",
    "error name belongs to an account: /login ann PASSWORD",
    "error name or password is wrong",
    "error name or password is wrong",
    "-- Hello ANN. 0 others are here; /help lists commands",
    "-- Bye",
    "",
  ]);
});

Deno.test("startChat() announces a shutdown, and leaves an empty room", async () => {
  await using server = startChat();
  const ann = await enter(server.port, "ann");
  const drained = server.shutdown();
  assertEquals(await ann.upTo("closing"), ["-- The server is closing"]);
  await ann.connection.close();
  await drained;
  assertEquals([server.stats().connections, server.stats().names], [0, []]);
});

Deno.test("Accounts.verify() returns whether the password is right", async () => {
  const lines = await Promise.all(["one", "one"].map((password) => formatAccount("ann", password)));
  assert(lines[0] !== lines[1], "each line has a salt of its own");
  assertMatch(lines[0]!, /^ann scrypt [A-Za-z0-9+/=]+ [A-Za-z0-9+/=]+$/);
  const accounts = Accounts.parse(lines[0]!);
  assertEquals(
    await Promise.all(["one", "two", ""].map((password) => accounts.verify({ name: "ann", password }))),
    [true, false, false],
  );
  assertEquals(await accounts.verify({ name: "bob", password: "one" }), false);
  assertEquals([accounts.has("ANN"), accounts.has("bob")], [true, false]);
});

Deno.test("Accounts.parse() throws an error with the number of a malformed line", () => {
  const unusable = "ann\u3164 scrypt eA== eA==";
  for (const line of ["ann", "ann md5 x y", "ann scrypt x", "ann scrypt ! y", unusable]) {
    assertThrows(() => Accounts.parse(`# a comment\n${line}`), TypeError, "line 2");
  }
});
