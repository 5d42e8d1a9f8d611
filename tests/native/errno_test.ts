import { assert, assertEquals, assertThrows } from "@std/assert";
import { describeErrno, errnoOf } from "../../native/errno.ts";
import { errnoError } from "../../native/system_error.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("describeErrno() returns name and text, and digits for an unknown number", pure, () => {
  assertEquals(describeErrno(104), { name: "ECONNRESET", text: "Connection reset by peer" });
  assertEquals(describeErrno(9999), { name: "E9999", text: "Unknown error" });
});

Deno.test("errnoOf() returns the number of a name, and throws for an unknown name", pure, () => {
  for (const errno of [1, 11, 24, 98, 115]) assertEquals(errnoOf(describeErrno(errno).name), errno);
  assertThrows(() => errnoOf("ENOTHING"), RangeError, "ENOTHING");
});

Deno.test(
  "errnoError() makes Deno's class with code and errno when there is one, and a plain Error otherwise",
  pure,
  () => {
    const classes = [
      ["EADDRINUSE", Deno.errors.AddrInUse],
      ["ECONNREFUSED", Deno.errors.ConnectionRefused],
      ["ECONNRESET", Deno.errors.ConnectionReset],
      ["EPIPE", Deno.errors.BrokenPipe],
      ["ETIMEDOUT", Deno.errors.TimedOut],
      ["EACCES", Deno.errors.PermissionDenied],
      ["EMFILE", Error],
      ["EHOSTUNREACH", Error],
    ] as const;
    for (const [code, type] of classes) {
      const error = errnoError(errnoOf(code));
      assert(error instanceof type, code);
      assertEquals(Object.getPrototypeOf(error), type.prototype);
      assertEquals([Reflect.get(error, "code"), Reflect.get(error, "errno")], [code, errnoOf(code)]);
    }
    assertEquals(errnoError(111).message, "Connection refused (os error 111)");
  },
);
