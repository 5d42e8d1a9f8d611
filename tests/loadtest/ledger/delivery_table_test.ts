import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DeliveryTable } from "../../../loadtest/ledger/delivery_table.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("DeliveryTable ends the delivery that a client received first, whatever it holds", pure, () => {
  const small = fc.nat(3);
  const steps = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant("receive" as const), client: small, message: small }),
      fc.record({ do: fc.constant("answer" as const), client: small, message: small }),
      fc.record({ do: fc.constant("drop" as const), client: small }),
      fc.record({ do: fc.constant("absorb" as const) }),
    ),
    { maxLength: 100, size: "max" },
  );
  fc.assert(fc.property(steps, (all) => {
    const table = new DeliveryTable();
    const model: { client: number; message: number; endedAt: number; held: boolean; answered: boolean }[] =
      [];
    all.forEach((step, at) => {
      if (step.do === "receive") {
        table.receive(10 + step.client, step.client, step.message, at);
        const { client, message } = step;
        model.push({ client, message, endedAt: NaN, held: true, answered: false });
      } else if (step.do === "answer") {
        const found = model.find((one) =>
          one.held && one.client === step.client && one.message === step.message
        );
        if (found) Object.assign(found, { endedAt: at, held: false, answered: true });
        assertEquals(table.answer(step.client, step.message, at), found !== undefined);
      } else if (step.do === "drop") {
        for (const one of model) {
          if (one.held && one.client === step.client) Object.assign(one, { endedAt: at, held: false });
        }
        table.drop(step.client, at);
      } else {
        const other = new DeliveryTable();
        other.receive(12, 2, 1, at);
        other.drop(2, at);
        table.absorb(other.snapshot());
        model.push({ client: 2, message: 1, endedAt: at, held: false, answered: false });
      }
    });
    assertEquals(table.length, model.length);
    assertEquals([...table.endedAt.toArray()], model.map(({ endedAt }) => endedAt));
    assertEquals(model.map((_, row) => table.isAnswered(row)), model.map(({ answered }) => answered));
  }));
});
