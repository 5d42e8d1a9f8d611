/** The options that the clients of the files service have in common. @module */
import { flag } from "../args/option.ts";
import { tlsClientOptions } from "./tls_options.ts";
import { showTokenOption } from "../shared/token_option.ts";
import { outputOptions, serverOptions, timeoutOption } from "./client_command.ts";

/** Of every one. */
export const filesOptions = {
  ...serverOptions(8891),
  ...tlsClientOptions,
  ...showTokenOption,
  timeout: timeoutOption,
  ...outputOptions,
};

/** Of those that move a file. */
export const transferOptions = {
  ...filesOptions,
  quiet: flag({ help: "No progress on stderr" }),
};
