import { assertEquals, assertThrows } from "@std/assert";
import { bindAll } from "../../../socket/listener/bind_all.ts";
import { pure } from "../../_util/permissions.ts";

const FIRST_PICK = 40_000;

/** An OS that picks ports in sequence; `taken` are in use, and `failing` are addresses that it does not have. */
class Os {
  readonly open = new Set<string>();
  picks = 0;
  readonly #taken: (at: string) => boolean;
  readonly #failing: readonly string[];

  constructor(taken: (at: string) => boolean, failing: readonly string[] = []) {
    this.#taken = taken;
    this.#failing = failing;
  }

  readonly bind = (hostname: string, asked: number) => {
    const port = asked === 0 ? FIRST_PICK + this.picks++ : asked;
    const at = `${hostname} ${port}`;
    if (this.#failing.includes(hostname)) throw new Deno.errors.AddrNotAvailable(at);
    if (this.#taken(at) || this.open.has(at)) throw new Deno.errors.AddrInUse(at);
    this.open.add(at);
    return { address: { hostname, port }, close: () => void this.open.delete(at) };
  };
}

const BOTH = { hostnames: ["127.0.0.1"], tryHostnames: ["::1"], port: 0 };

Deno.test("bindAll() lets the system pick again when another address has the port in use", pure, () => {
  for (const addresses of [BOTH, { ...BOTH, hostnames: ["127.0.0.1", "::1"], tryHostnames: [] }]) {
    const os = new Os((at) => at === `::1 ${FIRST_PICK}` || at === `::1 ${FIRST_PICK + 1}`);
    const { sockets, notBound } = bindAll(addresses, os.bind);
    assertEquals(sockets.map(({ address }) => address.port), [FIRST_PICK + 2, FIRST_PICK + 2]);
    assertEquals([notBound, os.open.size], [[], 2]);
  }
});

Deno.test("bindAll() uses the tenth pick", pure, () => {
  const os = new Os((at) => at.startsWith("::1 ") && at !== `::1 ${FIRST_PICK + 9}`);
  const { sockets, notBound } = bindAll(BOTH, os.bind);
  assertEquals(sockets.map(({ address }) => address.port), [FIRST_PICK + 9, FIRST_PICK + 9]);
  assertEquals([notBound, os.picks], [[], 10]);
});

Deno.test("bindAll() gives up after ten picks, and leaves nothing bound that must not be", pure, () => {
  const taken = (at: string): boolean => at.startsWith("::1 ");
  const os = new Os(taken);
  const must = { ...BOTH, hostnames: ["127.0.0.1", "::1"], tryHostnames: [] };
  assertThrows(() => bindAll(must, os.bind), Deno.errors.AddrInUse, `::1 ${FIRST_PICK + 9}`);
  assertEquals([os.picks, os.open.size], [10, 0]);
  const optional = bindAll(BOTH, os.bind);
  assertEquals(optional.sockets.map(({ address }) => address.port), [FIRST_PICK + 19]);
  assertEquals(optional.notBound.map(({ hostname }) => hostname), ["::1"]);
  assertEquals(os.open.size, 1);
});

Deno.test("bindAll() binds a port that was asked for once, or not", pure, () => {
  const tried: string[] = [];
  const os = new Os((at) => {
    tried.push(at);
    return at === "::1 7";
  });
  const { sockets, notBound } = bindAll({ ...BOTH, port: 7 }, os.bind);
  assertEquals([sockets.length, notBound.length, tried], [1, 1, ["127.0.0.1 7", "::1 7"]]);
  sockets[0]!.close();
  const must = { hostnames: ["127.0.0.1", "::1"], tryHostnames: [], port: 7 };
  assertThrows(() => bindAll(must, os.bind), Deno.errors.AddrInUse);
  assertEquals([os.open.size, os.picks], [0, 0]);
});

Deno.test(
  "bindAll() leaves out an optional address that the machine does not have, and picks once",
  pure,
  () => {
    const os = new Os(() => false, ["::1"]);
    const { sockets, notBound } = bindAll(BOTH, os.bind);
    assertEquals([sockets.length, notBound.length, os.picks], [1, 1, 1]);
    const alone = { ...BOTH, hostnames: [] };
    assertEquals(bindAll({ ...alone, tryHostnames: ["::1", "127.0.0.2"] }, os.bind).sockets.length, 1);
    assertThrows(() => bindAll({ ...alone, tryHostnames: ["::1"] }, os.bind), Deno.errors.AddrNotAvailable);
    assertThrows(() => bindAll({ ...alone, tryHostnames: [] }, os.bind), TypeError, "no address to bind");
  },
);
