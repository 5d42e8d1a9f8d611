/** A proxy in front of an echo, which counts what goes through. */
import { connect, formatAddress } from "@okline/okline/socket";
import { startEcho, startProxy } from "@okline/okline/services";

await using echo = startEcho({ port: 0 });
const passed = Promise.withResolvers<string>();
await using proxy = startProxy({
  port: 0,
  to: echo.addresses[0]!,
  onPassed: ({ backend, bytesFromClient, bytesFromBackend }) =>
    passed.resolve(
      `${backend && formatAddress(backend)}, ${bytesFromClient} there, ${bytesFromBackend} back`,
    ),
});

await using client = await connect({ port: proxy.port });
client.send("hello");
console.log((await client[Symbol.asyncIterator]().next()).value); // prints hello
await client.close();
console.log((await passed.promise).replace(`:${echo.port}`, "")); // prints 127.0.0.1, 6 there, 6 back
