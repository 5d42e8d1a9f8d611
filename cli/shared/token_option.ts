/** `--token`, for servers and clients. @module */
import { custom, group } from "../args/option.ts";
import { assertToken, TOKEN_NOTATION } from "../../access/token_text.ts";

function parseToken(text: string): string {
  assertToken(text);
  return text;
}

const token = {
  accepts: TOKEN_NOTATION,
  placeholder: "TOKEN",
  environment: "OKLINE_TOKEN",
  secret: true,
} as const;

/** For services that can require a token. */
export const guardTokenOption = group("Access", {
  token: custom(parseToken, { help: "Require this token as each peer's first line, `auth TOKEN`", ...token }),
});

/** For their clients. */
export const showTokenOption = group("Access", {
  token: custom(parseToken, { help: "Send this token to the server first", ...token }),
});
