/** A column of addresses, eight bytes each. Pure. @module */
import { type Address, unixPath } from "../../socket/network.ts";
import { Column } from "./typed_column.ts";

/** Stands for an address that is only a name. */
const NO_PORT = -1;
const MAX_PORT = 65_535;

/** {@linkcode AddressColumn} as plain data. */
export interface AddressColumnSnapshot {
  /** Each host once, as in the text of an address. */
  readonly hosts: readonly string[];
  /** By row: the index of the host, and the port. */
  readonly host: Int32Array<ArrayBuffer>;
  readonly port: Int32Array<ArrayBuffer>;
}

/**
 * Addresses by row, written `127.0.0.1:8000` when they are read. A million connections have a few hosts between them, and
 * a text for each takes ten times the memory.
 */
export class AddressColumn {
  readonly #host: Column<Int32Array<ArrayBuffer>> = new Column((n) => new Int32Array(n));
  readonly #port: Column<Int32Array<ArrayBuffer>> = new Column((n) => new Int32Array(n));
  readonly #hosts: string[] = [];
  readonly #indices = new Map<string, number>();
  /** The host name that was added last, and the index of its host: mostly, the next one is the same. */
  #lastHostname: string | undefined;
  #lastIndex = 0;

  /** Adds an address, or its text. */
  push(address: Address | string): void {
    if (typeof address === "string") this.#pushText(address);
    else this.#pushAddress(address);
  }

  /** Returns the text of an address, or `undefined` for a row without one. */
  at(row: number): string | undefined {
    const host = this.#hosts[this.#host.at(row)];
    const port = this.#port.at(row);
    return port === NO_PORT ? host : host === undefined ? undefined : `${host}:${port}`;
  }

  snapshot(): AddressColumnSnapshot {
    return { hosts: this.#hosts, host: this.#host.toArray(), port: this.#port.toArray() };
  }

  /** Appends the addresses of another column. */
  absorb({ hosts, host, port }: AddressColumnSnapshot): void {
    const indices = hosts.map((text) => this.#indexOf(text));
    this.#host.append(host.map((index) => indices[index]!));
    this.#port.append(port);
  }

  #pushAddress({ hostname, port }: Address): void {
    const isPath = unixPath(hostname) !== undefined;
    if (hostname !== this.#lastHostname) {
      this.#lastIndex = this.#indexOf(!isPath && hostname.includes(":") ? `[${hostname}]` : hostname);
      this.#lastHostname = hostname;
    }
    this.#host.push(this.#lastIndex);
    this.#port.push(isPath ? NO_PORT : port);
  }

  #pushText(text: string): void {
    const colon = text.lastIndexOf(":");
    const digits = text.slice(colon + 1);
    const port = Number(digits);
    // Anything else is kept as it is: a history may come from anywhere.
    const isPort = colon >= 0 && /^\d+$/.test(digits) && port <= MAX_PORT && `${port}` === digits;
    this.#host.push(this.#indexOf(isPort ? text.slice(0, colon) : text));
    this.#port.push(isPort ? port : NO_PORT);
  }

  #indexOf(host: string): number {
    let index = this.#indices.get(host);
    if (index === undefined) this.#indices.set(host, index = this.#hosts.push(host) - 1);
    return index;
  }
}
