import { assertEquals } from "@std/assert";
import { inheritedDescriptors } from "../../../cli/server/inherited_sockets.ts";
import { pure } from "../../_util/permissions.ts";

function fromSystemd(variables: Record<string, string>): readonly number[] {
  return inheritedDescriptors({ listenFd: [] }, { environment: (name) => variables[name], pid: 7 });
}

Deno.test("inheritedDescriptors() returns those from systemd when they are for this process", pure, () => {
  assertEquals(fromSystemd({ LISTEN_PID: "7", LISTEN_FDS: "2" }), [3, 4]);
  assertEquals(fromSystemd({ LISTEN_PID: "8", LISTEN_FDS: "2" }), []);
  assertEquals(fromSystemd({ LISTEN_FDS: "2" }), []);
});

Deno.test("inheritedDescriptors() returns no descriptors when their number is invalid", pure, () => {
  for (const count of ["", "0", "-1", "x", "1.5", "99999"]) {
    assertEquals(fromSystemd({ LISTEN_PID: "7", LISTEN_FDS: count }), [], count);
  }
});

Deno.test("inheritedDescriptors() prefers those of the option", pure, () => {
  const environment = (name: string) => ({ LISTEN_PID: "7", LISTEN_FDS: "2" })[name];
  assertEquals(inheritedDescriptors({ listenFd: [9] }, { environment, pid: 7 }), [9]);
});
