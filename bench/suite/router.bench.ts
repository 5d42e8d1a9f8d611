/** Measures the router alone, without sockets. @module */
import { Router } from "../../relay/router/router.ts";
import { Line } from "../../socket/codecs/line.ts";
import { Peer, RouterLoad } from "./router_load.ts";

// Large enough that the cost of measuring does not matter.
const BATCH = 1000;

for (const { peers, alive } of [{ peers: 100, alive: 1600 }, { peers: 10_000, alive: 10_000 }]) {
  const load = new RouterLoad({ peers, alive });
  Deno.bench(`Router.line(): ${BATCH} messages and their oks, ${peers} peers, ${alive} alive`, () => {
    load.exchange(BATCH);
  });
}

// Copies of one text, or distinct texts: redelivery should cost about the same.
for (const texts of [1, BATCH]) {
  const router = new Router<Peer>({ random: Math.random, ackTimeout: 10, redeliver: true });
  const peers = Array.from({ length: 10 }, () => new Peer(""));
  for (const peer of peers) router.join(peer);
  const out = () => {};
  for (let i = 0; i < BATCH; i++) {
    router.line(peers[i % peers.length]!, Line.of(`message ${i % texts}`), 0, out);
  }
  let now = 0;
  Deno.bench(`Router.expire(): ${BATCH} copies of ${texts === 1 ? "one text" : "as many texts"}`, () => {
    router.expire(now += 10, out);
  });
}
