/** The echo service with fifty clients in parallel. */
import { connect } from "@okline/okline/socket";
import { startEcho } from "@okline/okline/services";

await using echo = startEcho({ port: 0 });

async function ask(text: string): Promise<string> {
  await using connection = await connect({ port: echo.port });
  connection.send(text);
  for await (const line of connection) return line;
  throw new Error("The server closed without an answer");
}

const answers = await Promise.all(Array.from({ length: 50 }, (_, client) => ask(`hello ${client}`)));
console.log(answers[0], "...", answers[49]); // prints hello 0 ... hello 49
console.log(echo.stats().messages); // prints 50
