import { assertEquals, assertThrows } from "@std/assert";
import { errnoOf } from "../../native/errno.ts";
import { IoUring } from "../../native/io_uring.ts";
import { Libc, type SharedWords } from "../../native/libc.ts";
import { foreign } from "../_util/native/native.ts";

const CAPACITY = 4;
const FEATURES = 1 << 0 | 1 << 5;
const [EINTR, ENOMEM, EPIPE] = [-errnoOf("EINTR"), -errnoOf("ENOMEM"), -errnoOf("EPIPE")];
/** Positions in the rings, in words. The parameters have them in bytes. */
const AT = { sqHead: 0, sqTail: 1, sqMask: 2, cqHead: 3, cqTail: 4, cqMask: 5, sqArray: 6, cqEvents: 10 };
const [NOP, SEND] = [0, 26];

/** A send as the kernel gets it. */
type Submission = readonly [
  opcode: number,
  descriptor: number,
  address: number,
  length: number,
  flags: number,
];

/** A kernel that makes sends as the test says. */
class ScriptedLibc extends Libc {
  features = FEATURES;
  setup = 9;
  /** Mappings that work; the ones after them fail. */
  mappings = 2;
  readonly closed: number[] = [];
  unmapped = 0;
  readonly rings: SharedWords = new Int32Array(10 + 2 * CAPACITY * 4);
  readonly submissions: SharedWords = new Int32Array(CAPACITY * 16);
  /** The result of each send, by its descriptor. */
  readonly results = new Map<number, number>();
  readonly made: Submission[] = [];
  /** Sends that the kernel takes at a time. */
  takes = Infinity;
  /** Completions that it holds back, for this many calls. */
  late = 0;
  /** Completions that it does not hold back even then. */
  early = 0;
  /** Of each call that submits nothing, how many completions it waits for, with those that are in the ring already. */
  readonly awaited: number[] = [];
  interruption = EINTR;
  backwards = false;
  readonly #held: [data: number, result: number][] = [];

  constructor(...args: ConstructorParameters<typeof Libc>) {
    super(...args);
    this.rings[AT.sqMask] = CAPACITY - 1;
    this.rings[AT.cqMask] = 2 * CAPACITY - 1;
  }

  override ioUringSetup(entries: number, params: Uint8Array<ArrayBuffer>): number {
    const words = new Int32Array(params.buffer);
    words.set([entries, 2 * entries], 0);
    words[5] = this.features;
    const { sqHead, sqTail, sqMask, cqHead, cqTail, cqMask, sqArray, cqEvents } = AT;
    words.set([sqHead, sqTail, sqMask, 0, 0, 0, sqArray].map((word) => 4 * word), 10);
    words.set([cqHead, cqTail, cqMask, 0, 0, cqEvents].map((word) => 4 * word), 20);
    return this.setup;
  }

  override mapShared(_descriptor: number, offset: number, words: number): SharedWords | undefined {
    if (this.mappings-- <= 0) return undefined;
    const mapping = offset === 0 ? this.rings : this.submissions;
    assertEquals(words, mapping.length);
    return mapping;
  }

  override unmapShared(): void {
    this.unmapped++;
  }

  override close(descriptor: number): void {
    this.closed.push(descriptor);
  }

  override ioUringEnter(_ring: number, submit: number, complete: number): number {
    const { rings } = this;
    if (submit === 0) this.awaited.push(complete);
    const count = Math.min(submit, this.takes);
    for (let index = 0; index < count; index++) this.#take(rings[AT.sqHead]!++);
    if (this.late > 0) {
      this.late--;
      this.#complete(this.#held.splice(0, this.early));
      return count > 0 ? count : this.interruption;
    }
    if (this.backwards) this.#held.reverse();
    this.#complete(this.#held.splice(0));
    return count;
  }

  #complete(held: readonly [data: number, result: number][]): void {
    const { rings } = this;
    for (const [data, result] of held) {
      const at = AT.cqEvents + (rings[AT.cqTail]!++ & 2 * CAPACITY - 1) * 4;
      rings[at] = data;
      rings[at + 2] = result;
    }
  }

  #take(position: number): void {
    const index = this.rings[AT.sqArray + (position & CAPACITY - 1)]!;
    const words = this.submissions.subarray(index * 16, index * 16 + 16);
    const address = (words[4]! >>> 0) + words[5]! * 2 ** 32;
    const [opcode, descriptor] = [words[0]!, words[1]!];
    this.made.push([opcode, descriptor, address, words[6]!, words[7]!]);
    this.#held.push([words[8]!, opcode === NOP ? 0 : this.results.get(descriptor)!]);
  }
}

function open(change: (libc: ScriptedLibc) => void = () => {}) {
  const libc = ScriptedLibc.open() as ScriptedLibc;
  change(libc);
  return { libc, ring: IoUring.open(libc, CAPACITY), [Symbol.dispose]: () => libc.unload() };
}

/** Makes sends of descriptors 20, 21, … whose results are 100, 101, …. */
function submit(libc: ScriptedLibc, ring: IoUring, count: number): number[] {
  for (let index = 0; index < count; index++) {
    libc.results.set(20 + index, 100 + index);
    ring.queueSend(index, 20 + index, 5000, 7, false);
  }
  const results = new Int32Array(count).fill(-1);
  ring.submit(count, results);
  return [...results];
}

Deno.test("IoUring.submit() makes what was queued, and gives the result of each", foreign, () => {
  using opened = open();
  const { libc, ring } = opened;
  const address = 0x7f12_3456_789a;
  libc.results.set(20, 7).set(22, EPIPE);
  ring!.queueSend(0, 20, address, 9, false);
  ring!.queueSend(1, 21, address, 9, false);
  ring!.queueSend(2, 22, address + 9, 1, true);
  ring!.cancel(1);
  const results = new Int32Array(3).fill(1);
  ring!.submit(3, results);
  assertEquals([...results], [7, 0, EPIPE]);
  assertEquals(libc.made, [
    [SEND, 20, address, 9, 0x4040],
    [NOP, 21, address, 9, 0],
    [SEND, 22, address + 9, 1, 0xc040],
  ]);
});

Deno.test("IoUring.submit() finds results in any order, and when the positions overflow", foreign, () => {
  for (const backwards of [false, true]) {
    using opened = open((libc) => {
      libc.backwards = backwards;
      for (const at of [AT.sqHead, AT.sqTail, AT.cqHead, AT.cqTail]) libc.rings[at] = 2 ** 31 - 5;
    });
    for (let round = 0; round < 8; round++) {
      assertEquals(submit(opened.libc, opened.ring!, 3), [100, 101, 102]);
    }
    assertEquals(opened.libc.rings[AT.cqHead], opened.libc.rings[AT.cqTail]);
  }
});

Deno.test("IoUring.submit() leaves the result of what the kernel does not begin with", foreign, () => {
  using opened = open();
  const { libc, ring } = opened;
  libc.takes = 2;
  assertEquals(submit(libc, ring!, 4), [100, 101, -1, -1]);
  libc.takes = Infinity;
  libc.made.length = 0;
  assertEquals(submit(libc, ring!, 3), [100, 101, 102]);
  assertEquals(libc.made.length, 3);
});

Deno.test("IoUring.submit() waits for what the kernel has begun with", foreign, () => {
  using opened = open();
  opened.libc.late = 3;
  opened.libc.early = 1;
  assertEquals(submit(opened.libc, opened.ring!, 4), [100, 101, 102, 103]);
  assertEquals(opened.libc.awaited, [4, 4, 4], "the kernel counts those that are there");
  opened.libc.early = 0;
  opened.libc.late = 2;
  opened.libc.interruption = ENOMEM;
  assertThrows(() => submit(opened.libc, opened.ring!, 2), Error, "memory");
});

Deno.test("IoUring.open() returns undefined where it cannot be had, and leaves nothing open", foreign, () => {
  for (
    const [change, closed, unmapped] of [
      [(libc: ScriptedLibc) => libc.setup = -errnoOf("EPERM"), [], 0],
      [(libc: ScriptedLibc) => libc.features = 1 << 0, [9], 0],
      [(libc: ScriptedLibc) => libc.features = 1 << 5, [9], 0],
      [(libc: ScriptedLibc) => libc.mappings = 0, [9], 0],
      [(libc: ScriptedLibc) => libc.mappings = 1, [9], 1],
    ] as const
  ) {
    using opened = open(change);
    assertEquals([opened.ring, opened.libc.closed, opened.libc.unmapped], [undefined, closed, unmapped]);
  }
});

Deno.test("IoUring.close() unmaps both mappings and closes the descriptor", foreign, () => {
  using opened = open();
  opened.ring!.close();
  assertEquals([opened.libc.closed, opened.libc.unmapped], [[9], 2]);
});
