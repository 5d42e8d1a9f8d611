/** A line echo as a scenario: each message is a line that no other client sends. Pure. @module */
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { type Scenario, scenario } from "../scenario.ts";

/** A scenario for line echo servers. */
const echo: Scenario<string, undefined> = scenario({
  codec: lineCodec(),
  async message(t) {
    const line = `hello ${t.client} ${t.random()}`;
    await t.ask(line, { expect: line, name: "echo" });
  },
});

export default echo;
