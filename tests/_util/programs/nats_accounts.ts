/** Users of a NATS server that trusts an operator: signed tokens instead of passwords. */
import { nkeys } from "@nats-io/nats-core/internal";

type KeyPair = ReturnType<typeof nkeys.createUser>;

const UNLIMITED = { subs: -1, data: -1, payload: -1 };

/** An operator and an account, whose users a NATS server admits by their credentials. */
export class NatsAccounts {
  readonly #operator = nkeys.createOperator();
  readonly #account = nkeys.createAccount();

  /** The configuration of a server that trusts this operator. */
  get configuration(): string {
    const operator = token(this.#operator, { of: this.#operator, type: "operator" });
    const account = token(this.#operator, {
      of: this.#account,
      type: "account",
      limits: { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
    });
    return [
      `operator: ${operator}`,
      "resolver: MEMORY",
      `resolver_preload: { ${this.#account.getPublicKey()}: ${account} }`,
    ].join("\n");
  }

  /** Returns the content of a credentials file of a new user with permission for these subjects. */
  credentials({ publish, subscribe }: {
    readonly publish: readonly string[];
    readonly subscribe: readonly string[];
  }): string {
    const user = nkeys.createUser();
    const signed = token(this.#account, {
      of: user,
      type: "user",
      ...UNLIMITED,
      pub: { allow: publish },
      sub: { allow: subscribe },
    });
    const seed = new TextDecoder().decode(user.getSeed());
    return [
      "-----BEGIN NATS USER JWT-----",
      signed,
      "------END NATS USER JWT------",
      "-----BEGIN USER NKEY SEED-----",
      seed,
      "------END USER NKEY SEED------",
      "",
    ].join("\n");
  }
}

/** Returns a JSON Web Token in the second version of NATS, signed by `issuer`. */
function token(
  issuer: KeyPair,
  { of, ...claims }: { readonly of: KeyPair; readonly type: string; readonly [claim: string]: unknown },
): string {
  const payload = {
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    sub: of.getPublicKey(),
    nats: { ...claims, version: 2 },
  };
  const signed = `${encode({ typ: "JWT", alg: "ed25519-nkey" })}.${encode(payload)}`;
  return `${signed}.${base64Url(issuer.sign(new TextEncoder().encode(signed)))}`;
}

function encode(value: object): string {
  return base64Url(new TextEncoder().encode(JSON.stringify(value)));
}

function base64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
