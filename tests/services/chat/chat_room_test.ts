import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { ChatRoom, type ChatRoomOptions } from "../../../services/chat/chat_room.ts";
import { pure } from "../../_util/permissions.ts";

/** A room whose peers are letters, and the lines sent to each since the last look. */
function createRoom(options: ChatRoomOptions = {}) {
  const told: [string, string][] = [];
  const dismissed: [string, string][] = [];
  const room = new ChatRoom<string>({
    send: (peer, line) => told.push([peer, line]),
    dismiss: (peer, why) => dismissed.push([peer, why]),
  }, options);
  return {
    room,
    dismissed,
    /** Returns and forgets the lines sent so far. */
    heard: () => told.splice(0),
    enter(peer: string, name: string) {
      room.join(peer);
      room.line(peer, name);
      told.length = 0;
    },
  };
}

Deno.test("ChatRoom asks for a name, greets, and announces who joins and leaves", pure, () => {
  const { room, heard } = createRoom();
  room.join("a");
  assertEquals(heard(), [["a", "-- Welcome. What is your name?"]]);
  room.line("a", "ann\r");
  assertEquals(heard(), [[
    "a",
    "error name is refused: 1 to 24 letters, digits, dots, dashes, or underscores",
  ]]);
  room.line("a", " ann ");
  assertEquals(heard(), [["a", "-- Hello ann. 0 others are here; /help lists commands"]]);
  room.join("b");
  room.line("b", "bob");
  assertEquals(heard().slice(1), [
    ["b", "-- Hello bob. 1 other is here; /help lists commands"],
    ["a", "-- bob joined"],
  ]);
  room.leave("b");
  room.leave("b");
  assertEquals(heard(), [["a", "-- bob left"]]);
  assertEquals([room.names, room.size], [["ann"], 1]);
});

Deno.test("ChatRoom.line() refuses a name that is empty, taken, or not allowed", pure, () => {
  const { room, heard, enter } = createRoom();
  enter("a", "Ann");
  room.join("b");
  heard();
  for (const name of ["", "   ", "ann", "ANN", "ａｎｎ", "a b", "x".repeat(25), "//x", "a\u202eb"]) {
    room.line("b", name);
    const lines = heard();
    assertEquals(lines.map(([peer]) => peer), ["b"], name);
    assertMatch(lines[0]![1], /^error name is (refused|taken)/);
  }
  room.line("b", "bob");
  assertEquals(room.names, ["Ann", "bob"]);
});

Deno.test("ChatRoom.line() sends text to all members except the speaker", pure, () => {
  const { room, heard, enter } = createRoom();
  for (const [peer, name] of [["a", "ann"], ["b", "bob"], ["c", "cid"]] as const) enter(peer, name);
  room.join("d");
  heard();
  room.line("b", "hello  all");
  assertEquals(heard(), [["a", "bob: hello  all"], ["c", "bob: hello  all"]]);
  room.line("b", "//who is this");
  assertEquals(heard()[0], ["a", "bob: /who is this"]);
  room.line("b", "  ");
  assertEquals(heard(), []);
});

Deno.test("ChatRoom.line() replaces characters that could harm a terminal", pure, () => {
  const { room, heard, enter } = createRoom();
  enter("a", "ann");
  enter("b", "bob");
  room.line("b", "\x1b[2Jhi\u0007\u009b\u202e\tthere");
  assertEquals(heard(), [["a", "bob: \ufffd[2Jhi\ufffd\ufffd\ufffd\tthere"]]);
});

Deno.test("ChatRoom.line() executes /msg, /me, and /who", pure, () => {
  const { room, heard, enter } = createRoom();
  enter("a", "ann");
  enter("b", "bob");
  enter("c", "cid");
  room.line("a", "/msg BOB  psst  you");
  assertEquals(heard(), [["b", "[ann to you] psst  you"], ["a", "[you to bob] psst  you"]]);
  room.line("a", "/msg dan x");
  room.line("a", "/msg bob");
  room.line("a", "/me");
  assertEquals(heard().map(([peer, line]) => `${peer} ${line}`), [
    "a error no member has this name: dan",
    "a error name or text is missing: /msg NAME TEXT",
    "a error text is missing: /me TEXT",
  ]);
  room.line("a", "/me waves");
  assertEquals(heard(), [["b", "* ann waves"], ["c", "* ann waves"]]);
  room.line("a", "/who");
  assertEquals(heard(), [["a", "-- 3 here"], ["a", "-- ann bob cid"]]);
});

Deno.test("ChatRoom.line() executes /quit and /help, and refuses unknown commands", pure, () => {
  const { room, heard, dismissed, enter } = createRoom();
  enter("a", "ann");
  enter("b", "bob");
  room.line("a", "/help");
  assertEquals(heard().length, 6);
  room.line("a", "/nick x");
  assertEquals(heard(), [["a", "error unknown command: /nick: /help lists them"]]);
  room.line("a", "/quit");
  assertEquals(heard(), [["a", "-- Bye"], ["b", "-- ann left"]]);
  assertEquals(dismissed, [["a", "quit"]]);
  room.line("a", "still here?");
  room.leave("a");
  assertEquals(heard(), []);
});

Deno.test("ChatRoom.line() refuses commands that need a name when the peer is without a name", pure, () => {
  const { room, heard, dismissed, enter } = createRoom();
  enter("a", "ann");
  room.join("b");
  heard();
  for (const command of ["/who", "/me x", "/msg ann x"]) {
    room.line("b", command);
    const lines = heard();
    assertEquals(lines.map(([peer]) => peer), ["b"]);
    assertMatch(lines[0]![1], /^error enter your name before/);
  }
  room.line("b", "/quit");
  assertEquals(heard(), [["b", "-- Bye"]]);
  assertEquals(dismissed.length, 1);
});

Deno.test(
  "ChatRoom.loggedIn() admits a registered name, and dismisses at the third wrong password",
  pure,
  () => {
    const { room, heard, dismissed, enter } = createRoom({ isRegistered: (name) => name === "ann" });
    enter("c", "cid");
    room.join("a");
    heard();
    room.line("a", "ann");
    assertEquals(heard(), [["a", "error name belongs to an account: /login ann PASSWORD"]]);
    assertEquals(room.line("a", "/login ann two words"), { name: "ann", password: "two words" });
    room.loggedIn("a", "ann", false);
    assertEquals(heard(), [["a", "error name or password is wrong"]]);
    assertEquals(room.line("a", "/login ann"), undefined);
    assertEquals(heard(), [["a", "error name or password is missing: /login NAME PASSWORD"]]);
    room.loggedIn("a", "ann", true);
    assertEquals(heard().map(([peer]) => peer), ["a", "c"]);
    assertEquals(room.line("a", "/login ann x"), undefined);
    assertEquals(heard(), [["a", "error you are ann already"]]);

    room.join("b");
    for (let attempt = 0; attempt < 3; attempt++) {
      assertEquals(dismissed, []);
      room.loggedIn("b", "ann", false);
    }
    assertEquals(dismissed, [["b", "login failed"]]);
    room.leave("b");
    room.loggedIn("b", "ann", true);
    assertEquals(room.names, ["ann", "cid"]);
  },
);

Deno.test(
  "ChatRoom sends each line to each other member once and in order, in any sequence of events",
  pure,
  () => {
    const peer = fc.constantFrom("a", "b", "c", "d");
    const action = fc.oneof(
      fc.record({ type: fc.constant("join" as const), peer }),
      fc.record({ type: fc.constant("leave" as const), peer }),
      fc.record({ type: fc.constant("say" as const), peer }),
    );
    fc.assert(fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const { room, heard } = createRoom();
      const here = new Set<string>();
      const expected: [string, string][] = [];
      let count = 0;
      for (const { type, peer } of actions) {
        if (type === "join" && !here.has(peer)) {
          room.join(peer);
          room.line(peer, `n${peer}`);
          here.add(peer);
        } else if (type === "leave") {
          room.leave(peer);
          here.delete(peer);
        } else if (here.has(peer)) {
          room.line(peer, `line ${++count}`);
          for (const other of here) if (other !== peer) expected.push([other, `n${peer}: line ${count}`]);
        }
      }
      const spoken = heard().filter(([, line]) => line.includes(": line "));
      const byListener = (lines: [string, string][]) =>
        ["a", "b", "c", "d"].map((p) => lines.filter(([to]) => to === p));
      assertEquals(byListener(spoken), byListener(expected));
      assertEquals(room.names, [...here].map((p) => `n${p}`).sort());
    }));
  },
);

Deno.test("ChatRoom.line() lists a thousand names in short lines", pure, () => {
  const { room, heard, enter } = createRoom();
  for (let index = 0; index < 1000; index++) enter(String(index), `${"x".repeat(20)}${index}`);
  room.line("0", "/who");
  const lines = heard().map(([, line]) => line);
  assertEquals(lines[0], "-- 1000 here");
  assertEquals(new Set(lines.slice(1).flatMap((line) => line.slice(3).split(" "))).size, 1000);
  assert(lines.every((line) => line.length < 1200));
});

Deno.test("ChatRoom.line() accepts names of every script, in normalization form C", pure, () => {
  const { room, heard } = createRoom();
  // Precomposed and decomposed, Devanagari and Thai with their vowel signs, Arabic, Hebrew with points.
  const names = [
    "Jose\u0301",
    "Zoe\u0308",
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\u0e2a\u0e21\u0e0a\u0e31\u0e22",
    "\u0645\u062d\u0645\u062f",
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
  ];
  for (const name of names) {
    room.join(name);
    room.line(name, name);
    assertEquals(
      heard().some(([peer, line]) => peer === name && line.startsWith(`-- Hello ${name.normalize("NFC")}.`)),
      true,
      name,
    );
  }
  room.join("twice");
  heard();
  room.line("twice", "Jos\u00e9");
  assertEquals(heard(), [["twice", "error name is taken: Jos\u00e9"]]);
  assertEquals(room.names.includes("Jos\u00e9"), true);
});

Deno.test("ChatRoom.line() refuses names with invisible characters or stacks of marks", pure, () => {
  const { room, heard } = createRoom();
  room.join("a");
  heard();
  const invisible = [0x3164, 0x115f, 0xffa0, 0x200d, 0x200b, 0x00ad, 0xfe0f, 0x2060, 0xe0101, 0x180e];
  const names = invisible.map((code) => `ann${String.fromCodePoint(code)}`);
  for (const name of [...names, `a${"\u0301".repeat(6)}`, "\u0301ann", "1\u0301"]) {
    room.line("a", name);
    assertMatch(heard()[0]![1], /^error name is refused/, JSON.stringify(name));
  }
});

Deno.test("ChatRoom.line() refuses a name that looks like an account's or a member's", pure, () => {
  const { room, heard, enter } = createRoom({
    skeletons: (name) => [name.replaceAll("1", "l")],
    isRegistered: (name) => name === "bill",
    accountLike: (name) => name === "bi1l" ? "bill" : undefined,
  });
  enter("a", "paul");
  for (const [name, other] of [["bi1l", "bill"], ["pau1", "paul"]]) {
    room.join("b");
    heard();
    room.line("b", name!);
    assertEquals(heard(), [["b", `error name is taken: ${name} looks like ${other}`]]);
    room.leave("b");
  }
  // An account holder is not locked out by a look-alike.
  enter("c", "bil1");
  room.join("b");
  room.loggedIn("b", "bill", true);
  assertEquals(room.names, ["bil1", "bill", "paul"]);
  room.leave("a");
  enter("d", "pau1");
  assertEquals(room.names, ["bil1", "bill", "pau1"]);
});
