/** A network that injects faults into the connections of a client. @module */
import { faultyNetwork } from "../../testing/faulty_network.ts";
import type { Address, Network, Transport } from "../../socket/network.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import type { FaultSpec } from "../plan/fault_spec.ts";

/** Options for {@linkcode injectFaults}. */
export interface InjectFaultsOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly onFault: (kind: "reset" | "stall" | OkFault) => void;
}

/** Returns the network with faults in every socket that it connects. */
export function injectFaults(spec: FaultSpec, options: InjectFaultsOptions): Network {
  const { random, clock, onFault } = options;
  const { slice = false, stall = 0, reset = 0, dropOk: drop = 0, duplicateOk: duplicate = 0 } = spec;
  const network = slice || stall > 0 || reset > 0
    ? faultyNetwork({
      network: options.network,
      faults: { slice, stall, reset },
      random,
      clock,
      onFault: ({ type }) => onFault(type),
    })
    : options.network;
  if (drop + duplicate === 0) return network;
  return {
    listen: (bind) => network.listen(bind),
    connect: async (dial) =>
      new OkFaultyTransport(await network.connect(dial), { drop, duplicate, random, onFault }),
  };
}

/** A transport that drops and duplicates oks in both directions. */
class OkFaultyTransport implements Transport {
  readonly #inner: Transport;
  readonly #incoming: OkFaults;
  readonly #outgoing: OkFaults;
  /** Bytes that are ready to be read. */
  #ready = new Uint8Array(0);
  #ended = false;

  constructor(inner: Transport, options: OkFaultsOptions) {
    this.#inner = inner;
    this.#incoming = new OkFaults(options);
    this.#outgoing = new OkFaults(options);
  }

  get local(): Address {
    return this.#inner.local;
  }

  get remote(): Address {
    return this.#inner.remote;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#ready.length === 0) {
      if (this.#ended) return null;
      const count = await this.#inner.read(into);
      this.#ended = count === null;
      this.#ready = count === null ? this.#incoming.end() : this.#incoming.push(into.subarray(0, count));
    }
    const part = this.#ready.subarray(0, into.length);
    into.set(part);
    this.#ready = this.#ready.subarray(part.length);
    return part.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#writeAll(this.#outgoing.push(bytes));
    return bytes.length;
  }

  async closeWrite(): Promise<void> {
    await this.#writeAll(this.#outgoing.end());
    await this.#inner.closeWrite();
  }

  close(): void {
    this.#inner.close();
  }

  reset(): void {
    if (this.#inner.reset !== undefined) this.#inner.reset();
    else this.#inner.close();
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let left = bytes;
    while (left.length > 0) left = left.subarray(await this.#inner.write(left));
  }
}

/** A fault of an ok. */
export type OkFault = "drop-ok" | "duplicate-ok";

/** Options for {@linkcode OkFaults}. */
export interface OkFaultsOptions {
  /** The share of oks that are dropped, and the share of the others that are duplicated. */
  readonly drop: number;
  readonly duplicate: number;
  readonly random: Random;
  readonly onFault: (fault: OkFault) => void;
}

const LF = 10;
const OK = new TextEncoder().encode("ok ");

/** Drops and duplicates oks in one direction of a connection: a stream of lines as bytes, in any pieces. */
export class OkFaults {
  readonly #options: OkFaultsOptions;
  /** The beginning of an incomplete line. */
  #begun = new Uint8Array(0);

  constructor(options: OkFaultsOptions) {
    this.#options = options;
  }

  /** Takes bytes, and returns complete lines, without some oks and with some twice. */
  push(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const all = joined([this.#begun, bytes]);
    const pieces: Uint8Array[] = [];
    let start = 0;
    for (let end = all.indexOf(LF); end >= 0; end = all.indexOf(LF, start)) {
      const line = all.subarray(start, end + 1);
      start = end + 1;
      const fault = OK.every((byte, place) => line[place] === byte) ? this.#draw() : undefined;
      if (fault !== undefined) this.#options.onFault(fault);
      if (fault !== "drop-ok") pieces.push(line);
      if (fault === "duplicate-ok") pieces.push(line);
    }
    this.#begun = all.slice(start);
    return joined(pieces);
  }

  /** Takes the end of the stream, and returns an incomplete last line. */
  end(): Uint8Array<ArrayBuffer> {
    const rest = this.#begun;
    this.#begun = new Uint8Array(0);
    return rest;
  }

  #draw(): OkFault | undefined {
    const { drop, duplicate, random } = this.#options;
    if (random() < drop) return "drop-ok";
    return random() < duplicate ? "duplicate-ok" : undefined;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
