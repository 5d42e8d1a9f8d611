/** Options for the output of every program. @module */
import { flag, group } from "../args/option.ts";

/** `--json` */
export const jsonOption = group("Output", {
  json: flag({ help: "Print JSON on stdout, one object per line" }),
});

/** `--quiet` */
export const quietOption = group("Output", {
  quiet: flag({ help: "Print only results, warnings, and errors" }),
});
