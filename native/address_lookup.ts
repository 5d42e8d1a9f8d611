/** Host names to addresses, by `getaddrinfo`. Its foreign calls are those of {@linkcode Libc}. @module */
import { AF_INET, AF_INET6, SOCK_STREAM } from "./abi.ts";
import type { SocketAddress } from "./socket_address.ts";
import type { SYMBOLS } from "./symbols.ts";

/** The addresses of a host, the one to try first at the front; their port is 0. */
export type AddressList = readonly SocketAddress[];

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

// struct addrinfo, the same in glibc and musl on both processors.
const HINTS_SIZE = 48;
const AT = { family: 4, socktype: 8, addrlen: 16, addr: 24, next: 40 } as const;
const POINTER_SIZE = 8;

export async function lookUp(symbols: Symbols, hostname: string): Promise<AddressList> {
  const memory = new LookupMemory(symbols, hostname);
  try {
    return memory.result(await symbols.getaddrinfo_async(memory.name, null, memory.hints, memory.found));
  } finally {
    memory.free();
  }
}

export function lookUpSync(symbols: Symbols, hostname: string): AddressList {
  const memory = new LookupMemory(symbols, hostname);
  try {
    return memory.result(symbols.getaddrinfo(memory.name, null, memory.hints, memory.found));
  } finally {
    memory.free();
  }
}

/**
 * One block of C memory for a lookup. Memory of the runtime would be freed under the other thread if the Worker that
 * asked were terminated; this would only be lost.
 */
class LookupMemory {
  readonly found: Deno.PointerValue;
  readonly hints: Deno.PointerValue;
  readonly name: Deno.PointerValue;
  readonly #symbols: Symbols;
  readonly #hostname: string;

  constructor(symbols: Symbols, hostname: string) {
    const name = new TextEncoder().encode(hostname);
    if (name.includes(0)) throw new TypeError(`Cannot look up ${JSON.stringify(hostname)}: it contains NUL`);
    const size = POINTER_SIZE + HINTS_SIZE + name.length + 1;
    const block = symbols.malloc(size);
    if (block === null) throw new Deno.errors.WouldBlock(`Cannot allocate ${size} bytes`);
    const bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(block, size)).fill(0);
    new DataView(bytes.buffer).setInt32(POINTER_SIZE + AT.socktype, SOCK_STREAM, true);
    bytes.set(name, POINTER_SIZE + HINTS_SIZE);
    this.#symbols = symbols;
    this.#hostname = hostname;
    this.found = block;
    this.hints = Deno.UnsafePointer.offset(block, POINTER_SIZE);
    this.name = Deno.UnsafePointer.offset(block, POINTER_SIZE + HINTS_SIZE);
  }

  /** Copies what was found, and frees the C library's list of it. */
  result(code: number): AddressList {
    if (code !== 0) {
      throw new Error(`failed to lookup address information: ${this.#describe(code)} (${this.#hostname})`);
    }
    const list = new Deno.UnsafePointerView(this.found!).getPointer();
    try {
      return copyList(list);
    } finally {
      this.#symbols.freeaddrinfo(list);
    }
  }

  free(): void {
    this.#symbols.free(this.found);
  }

  #describe(code: number): string {
    const text = this.#symbols.gai_strerror(code);
    return text === null ? `error ${code}` : Deno.UnsafePointerView.getCString(text);
  }
}

function copyList(list: Deno.PointerValue): AddressList {
  const all: SocketAddress[] = [];
  for (let at = list; at !== null;) {
    const info = new Deno.UnsafePointerView(at);
    const family = info.getInt32(AT.family);
    const address = info.getPointer(AT.addr);
    if ((family === AF_INET || family === AF_INET6) && address !== null) {
      const bytes = new Uint8Array(info.getUint32(AT.addrlen));
      new Deno.UnsafePointerView(address).copyInto(bytes);
      all.push({ family, bytes });
    }
    at = info.getPointer(AT.next);
  }
  return all;
}
