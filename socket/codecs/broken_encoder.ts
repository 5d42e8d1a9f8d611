/** Errors of encoders that break their contract. Pure. @module */

/**
 * Checks what an encoder did. Bytes that stay pending would be taken again without end, or wait forever.
 *
 * @param length The number of bytes that it returned.
 * @param most The number of bytes that it had room for. Default: any number
 * @throws {TypeError} If that is not a number of bytes, or some are pending still.
 */
export function assertTaken(length: number, { size }: { readonly size: number }, most = Infinity): void {
  if (!(length >= 0 && length <= most)) throw brokenEncoder("bytes", `length ${length}`);
  if (size !== 0) throw brokenEncoder("size 0 after its bytes were taken", `size ${size}`);
}

/** Returns the error for an encoder that returns something else than it must. */
export function brokenEncoder(expected: string, got: string): TypeError {
  return new TypeError(`Cannot use the encoder of the codec: expected ${expected}, got ${got}`);
}
