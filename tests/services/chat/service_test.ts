import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Accounts, formatAccount, startChat } from "../../../services/mod.ts";
import { connect, type Connection } from "../../../socket/mod.ts";
import { exchange } from "../../_util/exchange.ts";

interface Guest {
  connection: Connection;
  lines: AsyncIterableIterator<string>;
  /** Reads up to a line that contains `text`, and gives all that was read. */
  upTo(text: string): Promise<string[]>;
}

async function enter(port: number, name: string): Promise<Guest> {
  const connection = await connect({ port });
  const lines = connection.lines();
  const guest: Guest = {
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
  connection.send(name);
  await guest.upTo(`Hello ${name}.`);
  return guest;
}

Deno.test("startChat() lets a thousand hear one, each once and in order", async () => {
  await using server = startChat();
  const guests: Guest[] = [];
  for (let index = 0; index < 1000; index++) guests.push(await enter(server.port, `guest${index}`));
  const [speaker, ...others] = guests;
  const said = Array.from({ length: 5 }, (_, index) => `guest0: line ${index}`);
  for (let index = 0; index < said.length; index++) speaker!.connection.send(`line ${index}`);
  for (const guest of others) {
    const heard = (await guest.upTo("line 4")).filter((line) => line.startsWith("guest0: "));
    assertEquals(heard, said);
  }
  // Joins and leaves reached the speaker; its own words did not, and no marker comes before them.
  others[0]!.connection.send("/msg guest0 marker");
  const heard = await speaker!.upTo("marker");
  assertEquals(heard.filter((line) => line.includes("line ")), []);
  assertEquals(heard.filter((line) => line.endsWith(" joined")).length, 999);
  assertEquals(server.stats().names.length, 1000);
  await Promise.all(guests.map(({ connection }) => connection.close()));
  await server.until((stats) => stats.connections === 0);
  assertEquals(server.stats().names, []);
});

Deno.test("startChat() works from telnet, line ends of CRLF and all", async () => {
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

Deno.test("startChat() announces who is cut off, and others talk on", async () => {
  await using server = startChat();
  const ann = await enter(server.port, "ann");
  const bob = await enter(server.port, "bob");
  bob.connection.send("x".repeat(5000));
  await ann.upTo("bob left");
  await bob.upTo("error line is over");
  await Promise.all([ann, bob].map(({ connection }) => connection.close()));
  assertEquals((await server.until((stats) => stats.connections === 0)).closed.framing, 1);
});

Deno.test("startChat() cuts off who does not read, and the others hear everything", async () => {
  await using server = startChat({ writeBuffer: 64 * 1024 });
  const deaf = await connect({ port: server.port });
  deaf.send("deaf");
  const ann = await enter(server.port, "ann");
  const bob = await enter(server.port, "bob");
  const line = "y".repeat(4000);
  let sent = 0;
  while (server.stats().closed["slow-reader"] === 0) {
    ann.connection.send(`${sent++} ${line}`);
    await ann.connection.flushed();
    const next = (await bob.upTo(line)).at(-1);
    assertEquals(next, `ann: ${sent - 1} ${line}`);
  }
  await bob.upTo("deaf left");
  deaf.abort();
  await Promise.all([ann, bob].map(({ connection }) => connection.close()));
});

Deno.test("startChat() lets who knows the password in by an account's name", async () => {
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

Deno.test("startChat() drains: everybody is told, and the room is left empty", async () => {
  await using server = startChat();
  const ann = await enter(server.port, "ann");
  const drained = server.shutdown();
  assertEquals(await ann.upTo("closing"), ["-- The server is closing"]);
  await ann.connection.close();
  await drained;
  assertEquals([server.stats().connections, server.stats().names], [0, []]);
});

Deno.test("Accounts.verify() knows right passwords from wrong ones, and its file holds none", async () => {
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

Deno.test("Accounts.parse() names the line that is malformed", () => {
  for (const line of ["ann", "ann md5 x y", "ann scrypt x", "ann scrypt ! y"]) {
    assertThrows(() => Accounts.parse(`# a comment\n${line}`), TypeError, "line 2");
  }
});
