/** A delayed HTTP response: twenty clients wait in parallel. */
import { requestHttp, startHello } from "@okline/okline/services";

await using server = startHello({ port: 0, delay: 200 });

async function greet(): Promise<string> {
  await using response = await requestHttp(`http://127.0.0.1:${server.port}/`);
  let text = "";
  for await (const bytes of response.body) text += new TextDecoder().decode(bytes);
  return `${response.status} ${text.trim()}`;
}

const greetings = await Promise.all(Array.from({ length: 20 }, greet));
console.log(new Set(greetings).size, greetings[0]); // prints 1 200 Hello World!
console.log(server.stats().peakConnections); // prints 20
