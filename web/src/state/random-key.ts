/** 128 random bits in hexadecimal, for `Idempotency-Key`. `crypto.randomUUID` is not there on plain http. */
export function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
