const VERSION_7 = 0x70;
const VARIANT = 0x80;

/** A new UUIDv7 (RFC 9562, 5.7), also where `crypto.randomUUID` is missing: on plain HTTP. */
export function newId(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.trunc(now / 2 ** 32));
  view.setUint32(2, now % 2 ** 32);
  view.setUint8(6, VERSION_7 | (view.getUint8(6) & 0x0f));
  view.setUint8(8, VARIANT | (view.getUint8(8) & 0x3f));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}
