import { assertEquals } from "@std/assert";
import { capacityCommand } from "../../../../cli/loadtest/capacity/capacity.ts";
import { pure } from "../../../_util/permissions.ts";

Deno.test(
  "capacityCommand takes no option of agents or of the admin server, which it would ignore",
  pure,
  () => {
    const ignored = Object.keys(capacityCommand.options).filter((name) => /^(agent|admin)/.test(name));
    assertEquals(ignored, []);
  },
);
