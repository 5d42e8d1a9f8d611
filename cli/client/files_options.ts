/** Options shared by the clients of the file service. @module */
import { flag, group } from "../args/option.ts";
import { tlsClientOptions } from "./tls_options.ts";
import { showTokenOption } from "../shared/token_option.ts";
import { outputOptions, serverOptions, timeoutOption } from "./client_command.ts";

/** Options of every client. */
export const filesOptions = {
  ...serverOptions(8891),
  ...tlsClientOptions,
  ...showTokenOption,
  timeout: timeoutOption,
  ...outputOptions,
};

/** Options of clients that transfer a file. */
export const transferOptions = {
  ...filesOptions,
  ...group("Output", { quiet: flag({ help: "Hide progress" }) }),
};
