/** One peer that sends more than its share. @module */
import { type Bench, describePeer, type Observation, type TortureCase } from "./bench.ts";

const CHUNK_LINES = 8192;

/** Sends `count` tiny lines, and looks every so often whether others are served. */
async function flood(bench: Bench, options: { count: number; reads: boolean }): Promise<Observation> {
  const peer = await bench.connect();
  if (!options.reads) peer.pause();
  const chunk = "x\n".repeat(CHUNK_LINES);
  const sending = (async () => {
    let sent = 0;
    while (sent < options.count && peer.end === undefined) {
      // A peer that reads nothing may wait for ever for the server to read on: that is a good end as well.
      if (!await peer.write(chunk, { within: bench.patience })) break;
      sent += CHUNK_LINES;
    }
    return sent;
  })();
  const answer = await bench.probe();
  const sent = await sending;
  peer.resume(); // Only who reads hears of the end.
  await peer.until(() => peer.end !== undefined, 200);
  const saw = `${sent} lines sent, ${describePeer(peer)}`.slice(0, 120);
  peer.close();
  if (typeof answer === "number") return { saw: `${saw}; others answered in ${answer.toFixed(0)} ms` };
  return { saw, fault: `others are not served meanwhile: ${answer}` };
}

/** Floods. */
export const floodCases: readonly TortureCase[] = [
  {
    name: "tiny lines in a row",
    run: (bench) => flood(bench, { count: bench.scaled(1_000_000), reads: true }),
  },
  {
    name: "asks and never reads",
    run: (bench) => flood(bench, { count: bench.scaled(5_000_000), reads: false }),
  },
];
