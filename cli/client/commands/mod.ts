/** The clients of `client.ts` by name. @module */
import { account } from "./account.ts";
import { chat } from "./chat.ts";
import { download } from "./download.ts";
import { echo } from "./echo.ts";
import { hello } from "./hello.ts";
import { http } from "./http.ts";
import { list } from "./list.ts";
import { relay } from "./relay.ts";
import { top } from "./top.ts";
import { udp } from "./udp.ts";
import { upload } from "./upload.ts";

/** In the order in which `--help` lists them. */
export const clients = { relay, echo, hello, http, chat, udp, upload, download, list, account, top } as const;
