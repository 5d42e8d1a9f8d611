/** Datagrams: an echo, and a question that is asked again when no answer comes. */
import { DatagramSocket } from "@okline/okline/socket";
import { startDatagramEcho } from "@okline/okline/services";

await using echo = startDatagramEcho({ port: 0 });
using socket = new DatagramSocket();
const question = new TextEncoder().encode("hello");
const answer = await socket.ask(question, echo.addresses[0]!, { timeout: 500, attempts: 3 });
console.log(new TextDecoder().decode(answer)); // prints hello

// Nobody is at the address of one that is closed.
using gone = new DatagramSocket();
gone.close();
try {
  await socket.ask(question, gone.address, { timeout: 20, attempts: 2 });
} catch (error) {
  console.log(error instanceof Deno.errors.TimedOut); // prints true
}
