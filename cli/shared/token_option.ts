/** The option that names a token. @module */
import { custom } from "../args/option.ts";
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

/** Of the services that a token can guard. */
export const guardTokenOption = {
  token: custom(parseToken, { help: "Serve only peers whose first line is `auth TOKEN`", ...token }),
};

/** Of the clients of these services. */
export const showTokenOption = {
  token: custom(parseToken, { help: "Show the server this token first", ...token }),
};
