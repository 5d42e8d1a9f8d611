/** `--admin` and related options, for every program that can be observed while it runs. @module */
import { address, custom, group, text } from "../args/option.ts";
import { assertToken, TOKEN_NOTATION } from "../../access/token_text.ts";

function parseToken(text: string): string {
  assertToken(text);
  return text;
}

/** Options for the admin server. */
export const adminOptions = group("Admin", {
  admin: address({
    help: "Serve a page, metrics, health checks, and control over HTTP at this address",
    placeholder: "HOST:PORT",
  }),
  adminToken: custom(parseToken, {
    help: "Require this token for changes; needed for changes over the network",
    accepts: TOKEN_NOTATION,
    placeholder: "TOKEN",
    environment: "OKLINE_ADMIN_TOKEN",
    secret: true,
  }),
  adminName: text({
    help: "Also answer requests for this host name, as behind a proxy",
    placeholder: "NAME",
    repeatable: true,
  }),
});
