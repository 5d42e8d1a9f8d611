import { assertEquals } from "@std/assert";
import { SessionHub } from "../../../../loadtest/scenario/session/hub.ts";
import { VirtualClock } from "../../../../testing/mod.ts";
import { pure } from "../../../_util/permissions.ts";

Deno.test(
  "SessionHub.ownerOf() finds the session that expects a reply, for the first 200 mismatches",
  pure,
  () => {
    const hub = new SessionHub<string>(new VirtualClock(), 0);
    const nobody = { client: 0, expecting: () => undefined };
    const ask = { number: 3 } as never;
    const owner = { client: 7, expecting: (reply: string) => reply === "mine" ? ask : undefined };
    hub.add(nobody);
    hub.add(owner);
    assertEquals(hub.ownerOf("other", nobody), undefined);
    for (let search = 1; search < 200; search++) assertEquals(hub.ownerOf("mine", nobody)?.client, 7);
    assertEquals(hub.ownerOf("mine", nobody), undefined);
  },
);
