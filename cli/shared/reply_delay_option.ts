/** `--reply-delay`, for every program with relay clients. @module */
import { custom } from "../args/option.ts";
import { quoted } from "../../internal/printable.ts";
import {
  type DelayDistribution,
  formatReplyDelay,
  parseReplyDelay,
} from "../../loadtest/plan/reply_delay.ts";

const NO_DELAY: DelayDistribution = { type: "none" };

/** `--reply-delay` */
export const replyDelayOption = {
  replyDelay: custom(parseReplyDelay, {
    help: "Delay before a client replies to a message",
    accepts: "0, fixed:1s, uniform:0s-5s, exponential:1s, or pareto:MIN[,ALPHA[,CAP]]",
    format: formatReplyDelay,
    default: NO_DELAY,
    environment: ["CLIENT_REPLY_DELAY", {
      name: "DELAY_TIME",
      parse: upToSeconds,
    }],
  }),
};

function upToSeconds(text: string): DelayDistribution {
  if (/^\d+(\.\d+)?$/.test(text)) return parseReplyDelay(`uniform:0s-${text}s`);
  throw new RangeError(`Expected a number of seconds such as 2 or 0.5, got ${quoted(text)}`);
}
