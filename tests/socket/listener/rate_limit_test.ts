import fc from "fast-check";
import { RateLimit } from "../../../socket/listener/rate_limit.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("RateLimit.take() grants exactly the burst and the rate", pure, () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 50 }),
    fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 200 }),
    (rate, gaps) => {
      const bucket = new RateLimit(rate);
      let now = 0;
      let tokens = rate; // the textbook's bucket, beside it
      for (const gap of gaps) {
        now += gap;
        tokens = Math.min(rate, tokens + gap * rate / 1000);
        tokens -= 1;
        const wait = bucket.take(now);
        // What is taken counts before the next may be: that is when a whole token is there again.
        const expected = Math.max(0, (1 - tokens) * 1000 / rate);
        if (Math.abs(wait - expected) > 1e-6) return false;
        now += wait;
        tokens += wait * rate / 1000;
      }
      return true;
    },
  ));
});

Deno.test("RateLimit.tryTake() takes nothing when nothing is left", pure, () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 50 }),
    fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 200 }),
    (rate, gaps) => {
      const bucket = new RateLimit(rate);
      let now = 0;
      let tokens = rate;
      for (const gap of gaps) {
        now += gap;
        tokens = Math.min(rate, tokens + gap * rate / 1000);
        const taken = bucket.tryTake(now);
        if (Math.abs(tokens - 1) > 1e-6 && taken !== tokens > 1) return false;
        if (taken) tokens -= 1;
      }
      return true;
    },
  ));
});
