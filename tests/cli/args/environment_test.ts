import { assertEquals } from "@std/assert";
import { processEnvironment } from "../../../cli/args/environment.ts";

Deno.test(
  "processEnvironment() returns undefined for a variable that it is not permitted to read",
  { permissions: { env: ["OKLINE_TEST_READABLE"] } },
  () => {
    assertEquals(processEnvironment("OKLINE_TEST_READABLE"), undefined);
    Deno.env.set("OKLINE_TEST_READABLE", "yes");
    try {
      assertEquals(processEnvironment("OKLINE_TEST_READABLE"), "yes");
      assertEquals(processEnvironment("PATH"), undefined);
    } finally {
      Deno.env.delete("OKLINE_TEST_READABLE");
    }
  },
);
