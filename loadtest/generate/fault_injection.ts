/** The network as a client meets it that was asked to meet faults. @module */
import { faultyNetwork } from "../../testing/faulty_network.ts";
import type { Address, Network, Transport } from "../../socket/network.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import type { FaultSpec } from "../plan/fault_spec.ts";
import { type OkFault, OkFaults, type OkFaultsOptions } from "./ok_faults.ts";

/** What {@linkcode clientFaults} needs. */
export interface ClientFaultsOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly onFault: (kind: "reset" | "stall" | OkFault) => void;
}

/** The same network, with the faults in every socket that it connects. */
export function clientFaults(spec: FaultSpec, options: ClientFaultsOptions): Network {
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

/** A transport that loses and doubles the oks that pass it, either way. */
class OkFaultyTransport implements Transport {
  readonly #inner: Transport;
  readonly #incoming: OkFaults;
  readonly #outgoing: OkFaults;
  /** Bytes to be read that have passed already. */
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
