/** One server per case of the torture suite that fails this case. */
import { BrokenServer, type Flaw, LIMIT, Places, type Session } from "./broken_server.ts";

const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/** Connections that a server has forgotten. They are closed with it. */
const kept: (() => void)[] = [];

/** A flaw, and the fault that the suite must find. */
export interface Broken {
  readonly flaw: () => Flaw;
  readonly fault: RegExp;
  readonly scale?: number;
  readonly patience?: number;
}

/** A flaw that stalls all connections while one that has sent certain bytes is open. */
function waitsFor(shows: (session: Session, bytes: Uint8Array) => boolean): Flaw {
  const turn = new Places(1);
  const holders = new Set<Session>();
  return {
    async read(session, bytes) {
      if (shows(session, bytes)) {
        await turn.take();
        holders.add(session);
      } else if (!holders.has(session)) {
        await turn.take();
        turn.give();
      }
      await session.take(text(bytes));
    },
    async serve(session) {
      try {
        await session.readAll();
      } finally {
        if (holders.delete(session)) turn.give();
      }
    },
  };
}

/** A flaw with a limited number of places, which are released only if `gives` returns `true`. */
function losesPlaces(count: number, gives: (ended: "natural" | "reset") => boolean): Flaw {
  let free = count;
  return {
    async serve(session) {
      if (free === 0) return;
      free--;
      let ended: "natural" | "reset" = "reset";
      try {
        await session.readAll();
        ended = "natural";
      } finally {
        if (gives(ended)) free++;
      }
    },
  };
}

/** Flaws by the names of the cases. */
export const BROKEN: Readonly<Record<string, Broken>> = {
  "split at every byte": {
    // Decodes each packet separately, as if it contained whole characters.
    flaw: () => ({
      read: (session, bytes) => session.take(unescape(encodeURIComponent(new TextDecoder().decode(bytes)))),
    }),
    fault: /^answers differently when cut after byte \d+/,
  },
  "line limit": {
    flaw: () => ({ read: (session, bytes) => session.take(text(bytes), LIMIT - 1) }),
    fault:
      /^does not have the limit of 1024 bytes \(--max-line .*\): a line of 1024 bytes, which is within the limit, is (finished|reset) by the server; .* CRLF, which/,
  },
  "no line end": {
    flaw: () => ({ read: (session, bytes) => session.take(text(bytes), Infinity) }),
    fault: /^accepted 3 MiB without a line end \(--max-line sets its limit\)$/,
  },
  "CR at the boundary": {
    // Drops a CR at the end of a packet, even if no LF follows.
    flaw: () => ({ read: (session, bytes) => session.take(text(bytes).replace(/\r$/, "")) }),
    fault: /^answers differently when CR and LF arrive separately$/,
  },
  "invalid UTF-8, NUL, escape sequences": {
    flaw: () => ({
      async read(session, bytes) {
        try {
          new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        } catch {
          session.crash();
        }
        await session.take(text(bytes));
      },
    }),
    fault: /^Cannot connect: refused$/,
  },
  "random bytes": {
    flaw: () => ({
      read: (session, bytes) =>
        bytes.filter((byte) => byte > 127).length > 20 ? session.crash() : session.take(text(bytes)),
    }),
    fault: /Cannot connect: refused/,
  },
  "FIN inside a line": {
    flaw: () => ({
      async serve(session) {
        await session.readAll();
        if (session.rest !== "") await new Promise<void>((resolve) => kept.push(resolve));
      },
    }),
    fault: /kept open although they have finished$/,
  },
  "silent connections": {
    flaw: () => {
      const places = new Places(20);
      return {
        async serve(session) {
          await places.take();
          try {
            await session.readAll();
          } finally {
            places.give();
          }
        },
      };
    },
    fault: /^others are not served: no answer within 400 ms$/,
  },
  "a byte per second": {
    flaw: () => waitsFor((_session, bytes) => bytes.length === 1 && bytes[0] === 0x78),
    fault: /^others are not served: no answer within 400 ms$/,
  },
  "half a TLS handshake": {
    flaw: () => waitsFor((_session, bytes) => bytes[0] === 0x16),
    fault: /^others are not served: no answer within 400 ms$/,
  },
  "connect and reset": {
    flaw: () => losesPlaces(50, (ended) => ended === "natural"),
    fault: /^afterwards: finishes the connection of an honest peer without an answer$/,
  },
  "connect and finish": {
    flaw: () => ({
      async serve(session) {
        await session.readAll();
        if (session.rest === "") await new Promise<void>((resolve) => kept.push(resolve));
      },
    }),
    fault: /^30 are kept open although they have finished$/,
  },
  "tiny lines": {
    // Forgets a peer that has sent a thousand lines.
    flaw: () => {
      const lines = new Map<Session, number>();
      return {
        async read(session, bytes) {
          const count = (lines.get(session) ?? 0) + text(bytes).split("\n").length;
          lines.set(session, count);
          if (count > 1000) await new Promise<void>((resolve) => kept.push(resolve));
          await session.take(text(bytes));
        },
      };
    },
    fault: /^neither answers all lines nor ends, within 400 ms of the last answer$/,
  },
  "sends and never reads": {
    // Writes to one connection at a time.
    flaw: () => {
      const turn = new Places(1);
      return {
        async read(session, bytes) {
          await turn.take();
          try {
            await session.take(text(bytes));
          } finally {
            turn.give();
          }
        },
      };
    },
    // More than the OS buffers for a peer that does not read, which it stops taking long before that. On a busy machine, a
    // write that is over within this time may still be slow.
    scale: 1,
    patience: 5000,
    fault: /^others are not served: no answer within 5000 ms$/,
  },
};

/** Closes the server and the connections that it kept. */
export async function end(server: BrokenServer): Promise<void> {
  server.close();
  for (const letGo of kept.splice(0)) letGo();
  await server[Symbol.asyncDispose]();
}
