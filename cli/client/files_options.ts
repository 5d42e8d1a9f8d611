/** The options that clients of the files service share. @module */
import { flag, group } from "../args/option.ts";
import { tlsClientOptions } from "./tls_options.ts";
import { showTokenOption } from "../shared/token_option.ts";
import { outputOptions, serverOptions, timeoutOption } from "./client_command.ts";

/** For every client. */
export const filesOptions = {
  ...serverOptions(8891),
  ...tlsClientOptions,
  ...showTokenOption,
  timeout: timeoutOption,
  ...outputOptions,
};

/** For clients that transfer a file. */
export const transferOptions = {
  ...filesOptions,
  ...group("Output", { quiet: flag({ help: "Hide progress" }) }),
};
