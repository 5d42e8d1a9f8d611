import { assertEquals } from "@std/assert";
import { workerArgs } from "../../../../cli/server/processes/worker_args.ts";
import { pure } from "../../../_util/permissions.ts";

Deno.test(
  "workerArgs() drops the options of the first process, with and without an equals sign",
  pure,
  () => {
    const args = [
      "relay",
      "--processes",
      "3",
      "--port=1",
      "--admin",
      "127.0.0.1:1",
      "--control",
      "--json",
      "--quiet",
    ];
    assertEquals(workerArgs([...args, "--max-line", "1KiB", "--verbose"]), [
      "relay",
      "--quiet",
      "--max-line",
      "1KiB",
      "--verbose",
    ]);
  },
);

Deno.test("workerArgs() keeps values that look like options, and everything after --", pure, () => {
  assertEquals(workerArgs(["files", "--root=--port", "--", "--port", "1"]), [
    "files",
    "--root=--port",
    "--",
    "--port",
    "1",
  ]);
});
