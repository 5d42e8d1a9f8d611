/** The relay protocol as a scenario: each client answers the messages of others. Pure. @module */
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { type Scenario, scenario } from "../scenario.ts";

/** A scenario for relays, with any number of messages per connection. */
const relay: Scenario<string, undefined> = scenario({
  codec: lineCodec(),
  // `message X` and its `ok X` have X in common. The oks of several messages arrive in any order.
  correlate: (line) => line.slice(line.indexOf(" ") + 1),
  session(t) {
    t.on(/^message /, (line) => t.send(line.replace("message", "ok")));
  },
  async message(t) {
    const text = `hello ${t.client} ${t.random()}`;
    await t.ask(`message ${text}`, { expect: `ok ${text}`, name: "message" });
  },
});

export default relay;
