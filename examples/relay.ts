/** A relay: what one client sends, another is given, and its ok comes back. */
import { connect, runRelayClient, startRelay } from "@okline/okline";

await using relay = startRelay({ port: 0 });

// By hand: whoever is given the message answers it.
await using ann = await connect({ port: relay.port });
const lines = ann[Symbol.asyncIterator]();
ann.send("message hello");
console.log((await lines.next()).value); // prints message hello
ann.send("ok hello");
console.log((await lines.next()).value); // prints ok hello
await ann.close();

// By a client that does all of it, times out, reconnects and sends again.
const { acknowledged, attempts } = await runRelayClient({ port: relay.port, text: "anybody there?" });
console.log(acknowledged, attempts); // prints true 1
