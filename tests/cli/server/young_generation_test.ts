import { assertEquals } from "@std/assert";
import { youngGenerationFor } from "../../../cli/server/young_generation.ts";

const permissions = "none";

Deno.test("youngGenerationFor() returns less for a relay or an echo over epoll", { permissions }, () => {
  for (const service of [[], ["relay"], ["echo"]]) {
    for (const transport of [["--transport", "epoll"], ["--transport=epoll"]]) {
      assertEquals(youngGenerationFor([...service, "--port", "0", ...transport, "--quiet"]), 3);
      assertEquals(youngGenerationFor([...service, ...transport]), 3);
    }
  }
});

Deno.test("youngGenerationFor() returns the usual limit for other command lines", { permissions }, () => {
  for (const args of [[], ["relay"], ["echo", "--transport", "deno"], ["relay", "--name", "epoll"]]) {
    assertEquals(youngGenerationFor(args), undefined);
  }
  for (const service of ["http", "chat", "files", "proxy"]) {
    assertEquals(youngGenerationFor([service, "--transport", "epoll"]), undefined);
  }
});
