/** Clusters that are broken under load, in small; in full with `deno task cluster-trials`. */
import { assert, assertEquals } from "@std/assert";
import { cutNode, killNode, stopNats, type TrialResult } from "../../../bench/trials/cluster_trials.ts";
import { NodeNamespace } from "../../../bench/trials/node_namespace.ts";
import { HAS_NATS } from "../../_util/programs/nats_server.ts";

function assertProven(
  { verdict, clients, acked, lost, duplicates, redelivered, busMessages, findings }: TrialResult,
) {
  assertEquals([verdict, acked, lost, duplicates], ["proven", clients, 0, 0], findings.join("\n"));
  assert(redelivered > 0, "nothing was in flight when something broke");
  assert(busMessages > 0, "the nodes did not relay for each other");
}

Deno.test("cluster_trials.ts proves every message when one of three nodes is killed", async () => {
  const result = await killNode({ clients: 300, window: 2000, hold: 1500 });
  assertProven(result);
  assert(result.resent > 0, "the node was killed when it had no clients");
});

Deno.test(
  "cluster_trials.ts proves every message when NATS is gone for a while",
  { ignore: !HAS_NATS },
  async () => {
    assertProven(await stopNats({ clients: 300, window: 6000, hold: 1500 }, 2000));
  },
);

const canCut = HAS_NATS && await NodeNamespace.isSupported();

Deno.test(
  "cluster_trials.ts proves every message when a node is cut off for a while",
  { ignore: !canCut },
  async () => {
    assertProven(await cutNode({ clients: 300, window: 9000, hold: 1500 }, 5000));
  },
);
