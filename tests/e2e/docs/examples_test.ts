import { assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { run } from "../../_util/programs/program.ts";

const FOLDER = new URL("../../../examples/", import.meta.url);
const LONGEST = 30;

const names = Array.from(Deno.readDirSync(FOLDER), ({ name }) => name).filter((name) => name.endsWith(".ts"));

for (const name of names.sort()) {
  const path = new URL(name, FOLDER).pathname;

  Deno.test(`examples/${name} prints what its comment shows, and has at most ${LONGEST} lines`, async () => {
    const source = await Deno.readTextFile(path);
    assertLessOrEqual(source.trimEnd().split("\n").length, LONGEST);
    const { code, out, err } = await run([Deno.execPath(), "run", "-A", "--quiet", path]);
    assertEquals([code, err], [0, ""]);
    if (name === "demo.ts") return;
    const expected = Array.from(source.matchAll(/\/\/ prints (.*)$/gm), ([, line]) => `${line}\n`).join("");
    assertEquals(out, expected);
  });
}

Deno.test("examples/README.md lists every example once", async () => {
  const links = (await Deno.readTextFile(new URL("README.md", FOLDER))).matchAll(
    /^\d+\. \[(.*?)\]\((.*?)\):/gm,
  );
  const listed = Array.from(links, ([, text, target]) => {
    assertEquals(text, target);
    return text!;
  });
  assertEquals(listed.toSorted(), names.toSorted());
});

Deno.test("deno task demo runs a server and ten clients, and ends by itself", async () => {
  const { code, out } = await run([Deno.execPath(), "task", "--quiet", "demo"], {
    cwd: new URL("..", FOLDER).pathname,
  });
  assertEquals(code, 0);
  assertMatch(out, /^server \| listening on 127\.0\.0\.1:\d+$/m);
  for (let client = 1; client <= 10; client++) {
    assertMatch(out, new RegExp(`^client \\| client ${client}: ok hello from client ${client} after `, "m"));
  }
  assertMatch(out, /^client \| 10 of 10 acknowledged, 10 connections closed naturally, 0 reconnects$/m);
  assertMatch(out, /^server \| SIGTERM: draining/m);
});
