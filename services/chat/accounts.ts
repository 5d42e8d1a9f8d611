/** Accounts in a file: names and hashed passwords. @module */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import type { LoginAttempt } from "./login_queue.ts";
import { isName, normalizeName } from "./name.ts";
import { NameMap } from "./name_map.ts";
import { skeletonsOf } from "./skeletons.ts";

interface Account {
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

const KEY_BYTES = 32;
const SALT_BYTES = 16;
// Recommended by OWASP's password storage cheat sheet: 64 MiB and a few tenths of a second per guess.
const COST = { N: 2 ** 16, r: 8, p: 2, maxmem: 128 * 1024 * 1024 };

/** Names with a password each. The passwords are stored as scrypt keys, so a stolen file does not reveal them. */
export class Accounts {
  readonly #byName = new NameMap<Account>(skeletonsOf);

  /**
   * Parses accounts, one per line, as {@linkcode formatAccount} returns them. Empty lines and lines that start with `#` are
   * skipped.
   *
   * @throws {TypeError} If a line is malformed. The message has its number.
   */
  static parse(text: string): Accounts {
    const accounts = new Accounts();
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      if (line === "" || line.startsWith("#")) continue;
      const [name, scheme, salt, key] = line.split(" ");
      if (!name || scheme !== "scrypt" || !salt || !key) {
        throw new TypeError(`Cannot read accounts: line ${index + 1} is not NAME scrypt SALT KEY`);
      }
      if (!isName(normalizeName(name))) {
        throw new TypeError(`Cannot read accounts: line ${index + 1} has a name that is not allowed`);
      }
      accounts.#byName.set(normalizeName(name), {
        salt: decodeBase64(salt, index),
        key: decodeBase64(key, index),
      });
    }
    return accounts;
  }

  /** Whether the name belongs to an account. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Returns the name of a different account that people may take for this one. */
  lookAlike(name: string): string | undefined {
    return this.#byName.lookAlike(name);
  }

  /**
   * Whether the password is the account's. Takes a few tenths of a second, also for an unknown name, and 64 MiB: do not
   * run many at a time.
   */
  async verify({ name, password }: LoginAttempt): Promise<boolean> {
    const account = this.#byName.get(name);
    const key = await deriveKey(password, account?.salt ?? new Uint8Array(SALT_BYTES));
    return account !== undefined && account.key.length === key.length && timingSafeEqual(account.key, key);
  }
}

/** Returns a line of an accounts file for a name and a password, with a new salt. */
export async function formatAccount(name: string, password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await deriveKey(password, salt);
  return `${normalizeName(name)} scrypt ${salt.toString("base64")} ${key.toBase64()}`;
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
