/** A load balancer for two servers, one of which is drained. */
import { connect } from "@okline/okline/socket";
import { startBalance, startEcho } from "@okline/okline/services";

await using one = startEcho({ port: 0 });
await using two = startEcho({ port: 0 });
await using balancer = startBalance({
  port: 0,
  to: [one.addresses[0]!, two.addresses[0]!],
  policy: "round-robin",
});

async function ask(): Promise<void> {
  await using client = await connect({ port: balancer.port });
  client.send("hello");
  for await (const _ of client) break;
}

for (let count = 0; count < 4; count++) await ask();
console.log(one.stats().messages, two.stats().messages); // prints 2 2

balancer.drainBackend(`127.0.0.1:${one.port}`);
for (let count = 0; count < 4; count++) await ask();
console.log(one.stats().messages, two.stats().messages); // prints 2 6
