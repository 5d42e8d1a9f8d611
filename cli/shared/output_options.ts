/** Options for the output of programs. @module */
import { choice, flag, group } from "../args/option.ts";
import { LOG_LEVELS } from "../terminal/log_message.ts";

/** `--json` */
export const jsonOption = group("Output", {
  json: flag({ help: "Print JSON on stdout, one object per line" }),
});

/** `--quiet` */
export const quietOption = group("Output", {
  quiet: flag({ help: "Print only results, warnings, and errors" }),
});

/** `--log-format` and `--log-level`, for programs that run for long. */
export const logOptions = group("Output", {
  logFormat: choice(["text", "json"], {
    help: "Format of log messages on stderr; json has a time, a level, and fields",
    default: "text",
  }),
  logLevel: choice(LOG_LEVELS, { help: "Lowest level of log messages", defaultText: "info" }),
});
