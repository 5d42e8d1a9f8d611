/** A web server with a small REST store, used by the HTTP client and by fetch. */
import { requestHttp, startHttp } from "@okline/okline/services";

await using server = startHttp({ port: 0 });
const items = `http://127.0.0.1:${server.port}/items`;

await using created = await requestHttp(items, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ name: "a thing" }),
});
console.log(created.status, created.headers.get("location")); // prints 201 /items/1

const response = await fetch(`${items}/1`);
console.log((await response.text()).trim()); // prints {"id":1,"value":{"name":"a thing"}}
