/** A relay: it delivers each message to a client and returns its acknowledgment. */
import { connect, runRelayClient, startRelay } from "@okline/okline";

await using relay = startRelay({ port: 0 });

// By hand: with one client, the message comes back to its sender, who acknowledges it.
await using ann = await connect({ port: relay.port });
ann.send("message hello");
for await (const line of ann) {
  console.log(line);
  if (line === "ok hello") break;
  ann.send("ok hello");
}
// prints message hello
// prints ok hello
await ann.close();

// With the client of the library, which reconnects and sends again when necessary.
const { acknowledged, attempts } = await runRelayClient({ port: relay.port, text: "anybody there?" });
console.log(acknowledged, attempts); // prints true 1
