/** A proxy for an echo server; it counts the bytes that it passes. */
import { connect, formatAddress } from "@okline/okline/socket";
import { startEcho, startProxy } from "@okline/okline/services";

await using echo = startEcho({ port: 0 });
const passed = Promise.withResolvers<string>();
await using proxy = startProxy({
  port: 0,
  to: echo.addresses[0]!,
  onEvent: (event) => {
    if (event.type !== "passed") return;
    const { backend, bytesFromClient, bytesFromBackend } = event.passed;
    passed.resolve(
      `${backend && formatAddress(backend)}, ${bytesFromClient} there, ${bytesFromBackend} back`,
    );
  },
});

await using client = await connect({ port: proxy.port });
client.send("hello");
for await (const line of client) {
  console.log(line); // prints hello
  break;
}
await client.close();
console.log((await passed.promise).replace(`:${echo.port}`, "")); // prints 127.0.0.1, 6 there, 6 back
