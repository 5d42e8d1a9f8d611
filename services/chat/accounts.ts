/** Accounts in a file: names and hashed passwords. @module */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { foldName } from "./text.ts";

interface Account {
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

const KEY_BYTES = 32;
const SALT_BYTES = 16;
// What OWASP's password storage cheat sheet names for scrypt: 64 MiB and a few tenths of a second a guess.
const COST = { N: 2 ** 16, r: 8, p: 2, maxmem: 128 * 1024 * 1024 };

/** Names with a password each, as scrypt keys: a stolen file gives no passwords away. */
export class Accounts {
  readonly #byName = new Map<string, Account>();
  /** One derivation at a time, since each takes 64 MiB: guessers wait for each other. */
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * Reads accounts from text, a line each, as {@linkcode formatAccount} writes them; empty lines and those that start
   * with `#` do not count.
   *
   * @throws {TypeError} If a line is malformed, with its number.
   */
  static parse(text: string): Accounts {
    const accounts = new Accounts();
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      if (line === "" || line.startsWith("#")) continue;
      const [name, scheme, salt, key] = line.split(" ");
      if (!name || scheme !== "scrypt" || !salt || !key) {
        throw new TypeError(`Cannot read accounts: line ${index + 1} is not NAME scrypt SALT KEY`);
      }
      accounts.#byName.set(foldName(name), {
        salt: decodeBase64(salt, index),
        key: decodeBase64(key, index),
      });
    }
    return accounts;
  }

  /** Whether the name belongs to an account. */
  has(name: string): boolean {
    return this.#byName.has(foldName(name));
  }

  /** Whether the password is the account's; takes as long for an unknown name. */
  verify(attempt: { readonly name: string; readonly password: string }): Promise<boolean> {
    const verified = this.#turn.then(() => this.#verify(attempt.name, attempt.password));
    this.#turn = verified.catch(() => {});
    return verified;
  }

  async #verify(name: string, password: string): Promise<boolean> {
    const account = this.#byName.get(foldName(name));
    const key = await deriveKey(password, account?.salt ?? new Uint8Array(SALT_BYTES));
    return account !== undefined && account.key.length === key.length && timingSafeEqual(account.key, key);
  }
}

/** The line of an accounts file for a name and a password, with a salt of its own. */
export async function formatAccount(name: string, password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await deriveKey(password, salt);
  return `${name} scrypt ${salt.toString("base64")} ${key.toBase64()}`;
}

function deriveKey(password: string, salt: Uint8Array): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  scrypt(password.normalize("NFKC"), salt, KEY_BYTES, COST, (error, key) => {
    if (error) reject(error);
    else resolve(new Uint8Array(key));
  });
  return promise;
}

function decodeBase64(text: string, index: number): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch (cause) {
    throw new TypeError(`Cannot read accounts: line ${index + 1} is not base64: ${text.slice(0, 8)}…`, {
      cause,
    });
  }
}
