/** The services of `server.ts` by name. @module */
import { balance } from "./balance.ts";
import { chat } from "./chat.ts";
import { echo } from "./echo.ts";
import { files } from "./files.ts";
import { hello } from "./hello.ts";
import { http } from "./http.ts";
import { proxy } from "./proxy.ts";
import { relay } from "./relay.ts";
import { udp } from "./udp.ts";

/** In the order in which `--help` lists them. */
export const services = { relay, echo, hello, chat, http, files, udp, proxy, balance } as const;
