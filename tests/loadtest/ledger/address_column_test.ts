import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { AddressColumn } from "../../../loadtest/ledger/address_column.ts";
import { type Address, formatAddress } from "../../../socket/network.ts";
import { pure } from "../../_util/permissions.ts";

const addresses: fc.Arbitrary<Address> = fc.oneof(
  fc.record({
    hostname: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
    port: fc.integer({ min: 0, max: 65_535 }),
  }),
  fc.record({ hostname: fc.string().map((path) => `unix:/${path}`), port: fc.constant(0) }),
);
const texts = fc.oneof(
  addresses.map(formatAddress),
  fc.string(),
  fc.constantFrom("", ":", "a:", ":1", "a:01", "a:65536", "a:-1", "a:1e3", "unknown", "a:b:7"),
);

Deno.test("AddressColumn returns each address as its text, and each text as it was", pure, () => {
  fc.assert(fc.property(fc.array(fc.oneof(addresses, texts)), (all) => {
    const column = new AddressColumn();
    for (const address of all) column.push(address);
    const expected = all.map((one) => typeof one === "string" ? one : formatAddress(one));
    assertEquals(all.map((_, row) => column.at(row)), expected);
    assertEquals(column.at(all.length), undefined);
  }));
});

Deno.test("AddressColumn.absorb() appends the addresses of another column", pure, () => {
  fc.assert(fc.property(fc.array(texts), fc.array(texts), (own, others) => {
    const [column, other] = [new AddressColumn(), new AddressColumn()];
    for (const text of own) column.push(text);
    for (const text of others) other.push(text);
    column.absorb(structuredClone(other.snapshot()));
    column.push("127.0.0.1:1");
    const all = [...own, ...others, "127.0.0.1:1"];
    assertEquals(all.map((_, row) => column.at(row)), all);
  }));
});

Deno.test("AddressColumn keeps each host once", pure, () => {
  const column = new AddressColumn();
  for (let port = 1; port <= 100; port++) column.push({ hostname: `127.0.0.${port % 2}`, port });
  for (let port = 1; port <= 100; port++) column.push(`127.0.0.${port % 2}:${port}`);
  assertEquals(column.snapshot().hosts, ["127.0.0.1", "127.0.0.0"]);
});
