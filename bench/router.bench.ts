/** The relay's router alone: what a message costs before any socket has a part in it. @module */
import { Router } from "../relay/router.ts";

interface Peer {
  slot: number;
  readonly inbox: string[];
}

// As many messages as are under way in a steady state, so that sets and maps have their usual size.
const MESSAGES = 1000;

/** Sends every message, then answers every one: each is settled when a run ends. */
function exchange(router: Router<Peer>, peers: readonly Peer[], lines: readonly string[]): void {
  const out = (peer: Peer, line: string) => void peer.inbox.push(line);
  for (const [i, line] of lines.entries()) router.line(peers[i % peers.length]!, line, 0, out);
  for (const peer of peers) {
    for (const line of peer.inbox.splice(0)) {
      if (line.startsWith("message ")) router.line(peer, `ok ${line.slice(8)}`, 0, out);
    }
  }
  for (const peer of peers) peer.inbox.length = 0;
}

for (const count of [100, 1000]) {
  const router = new Router<Peer>({ random: Math.random, ackTimeout: 10_000, redeliver: true });
  const peers = Array.from({ length: count }, (): Peer => ({ slot: -1, inbox: [] }));
  for (const peer of peers) router.join(peer);
  const lines = Array.from({ length: MESSAGES }, (_, i) => `message ${i}-of-a-thousand`);
  Deno.bench(`Router.line(): ${MESSAGES} messages and their oks, ${count} peers`, { group: "router" }, () => {
    exchange(router, peers, lines);
  });
}
