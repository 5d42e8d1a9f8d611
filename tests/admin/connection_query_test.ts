import { assertEquals, assertThrows } from "@std/assert";
import { formatConnectionQuery, parseConnectionQuery } from "../../admin/connection_query.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("parseConnectionQuery() rejects unknown parameters, and names what it accepts", pure, () => {
  const reject = (query: string, message: string) =>
    assertThrows(() => parseConnectionQuery(new URLSearchParams(query)), RangeError, message);
  reject("sort=size", 'Cannot use sort "size": expected id, address, since, idle');
  reject("state=all", 'Cannot use state "all": expected open, closed');
  reject("limit=10001", 'Cannot use limit "10001": expected an integer from 1 to 10000');
  reject("limit=-1", 'Cannot use limit "-1"');
  reject("limit=1e3", 'Cannot use limit "1e3"');
  reject("limit=007", 'Cannot use limit "007"');
  reject("offset=1e3", 'Cannot use offset "1e3"');
  reject("offset=-0", 'Cannot use offset "-0"');
  reject("id=01", 'Cannot use id "01"');
  reject("id=1&id=2", "Cannot use id twice");
  reject("color=red", 'Cannot use parameter "color": expected state, sort');
  reject("min_idle=soon", '"soon"');
});

Deno.test("parseConnectionQuery() reads what formatConnectionQuery() returns", pure, () => {
  for (
    const text of [
      "",
      "state=closed&sort=bytes_in&order=asc&offset=5&limit=7&id=3&address=%3A40&reason=natural&min_idle=1500ms",
    ]
  ) {
    const query = parseConnectionQuery(new URLSearchParams(text));
    assertEquals(parseConnectionQuery(new URLSearchParams(formatConnectionQuery(query))), query);
  }
});
