import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { parseCommandLine } from "../../cli/args/parse.ts";
import { UsageError } from "../../cli/terminal/exit.ts";
import { RelayClient } from "../../relay/client.ts";
import { FilesClient } from "../../services/files/client.ts";
import { httpsNetwork } from "../../services/http/client.ts";
import { MemoryNetwork } from "../../testing/memory_network.ts";
import { assertToken } from "../../access/token_text.ts";
import { guardTokenOption } from "../../cli/shared/token_option.ts";
import { pure } from "../_util/permissions.ts";

const BROKEN = ["", "sesame\n", "sesame\r", "a\\nsesame", "sesame\x1b", "sesame\x9b", "sesame\ud800"];

Deno.test("assertToken() accepts a token of one line, and hides any other in its error", pure, () => {
  for (const token of ["open sesame", " ", "é😀", "a".repeat(1000)]) assertToken(token);
  for (const token of BROKEN) {
    const { message } = assertThrows(() => assertToken(token), RangeError);
    assertEquals(message.includes("sesame"), false);
  }
});

Deno.test(
  "RelayClient and FilesClient reject an invalid token before they dial",
  pure,
  async () => {
    const network = new MemoryNetwork();
    for (const token of BROKEN) {
      const dial = { network, port: 1, token };
      assertThrows(() => new RelayClient({ ...dial, text: "hello" }), RangeError, "Cannot use the token");
      await assertRejects(() => FilesClient.connect(dial), RangeError, "Cannot use the token");
    }
  },
);

Deno.test(
  "parseCommandLine() rejects an empty variable only when the option is secret",
  pure,
  () => {
    const program = {
      name: "server.ts",
      summary: "A server",
      version: "1.0.0",
      commandNoun: "service",
      defaultCommand: "relay",
      commands: { relay: { summary: "x", options: guardTokenOption, examples: [["", "x"], ["", "x"]] } },
    } as const;
    const tell = (token: string | undefined) =>
      parseCommandLine(program, { args: [], environment: (name) => name === "OKLINE_TOKEN" ? token : "" });
    const told = tell(undefined);
    assertEquals("options" in told && told.options.token, undefined);
    assertThrows(() => tell(""), UsageError, "Cannot use OKLINE_TOKEN: expected at least one character");
    const error = assertThrows(() => tell("sesame\n"), UsageError);
    assertEquals([error.message.includes("sesame"), error.cause], [false, undefined]);
  },
);

Deno.test("httpsNetwork() returns the same network for every request", async () => {
  const [one, other] = [new MemoryNetwork(), new MemoryNetwork()];
  const secure = await httpsNetwork(one);
  assertStrictEquals(await httpsNetwork(one), secure);
  assertStrictEquals(await httpsNetwork(secure), secure);
  assertEquals(await httpsNetwork(other) === secure, false);
});
