/** Positions are decimal numbers with 20 digits before the point; they sort bytewise. */

const INTEGER_DIGITS = 20;

/** The position of an item that was created at this time and never moved. */
export function positionOf(milliseconds: number): string {
  return String(Math.trunc(milliseconds) * 1000).padStart(INTEGER_DIGITS, "0");
}

/** A position between two others; null stands for no neighbour on that side. */
export function positionBetween(before: string | null, after: string | null): string {
  if (after === null) {
    return before === null ? positionOf(Date.now()) : nextInteger(before);
  }
  const low = before ?? "0".repeat(INTEGER_DIGITS);
  const digits = Math.max(fractionOf(low).length, fractionOf(after).length) + 1;
  const middle = (scaled(low, digits) + scaled(after, digits)) / 2n;
  return unscaled(middle, digits);
}

/** What has a place in an order arranged by hand. */
interface Positioned {
  readonly id: string;
  readonly position: string;
}

/** The position of a new item: after all others. */
export function positionAtEnd(siblings: readonly Positioned[]): string {
  const last = siblings.at(-1)?.position ?? "";
  const now = positionOf(Date.now());
  return now > last ? now : positionBetween(last, null);
}

/** The position behind the item with this id; null stands for the front. */
export function positionAfter(after: string | null, siblings: readonly Positioned[]): string {
  const index = after === null ? -1 : siblings.findIndex((sibling) => sibling.id === after);
  if (after !== null && index === -1) {
    return positionAtEnd(siblings);
  }
  const before = siblings[index]?.position ?? null;
  const next = siblings[index + 1]?.position ?? null;
  return positionBetween(before, next);
}

function nextInteger(position: string): string {
  return String(BigInt(position.slice(0, INTEGER_DIGITS)) + 1n).padStart(INTEGER_DIGITS, "0");
}

function fractionOf(position: string): string {
  return position.slice(INTEGER_DIGITS + 1);
}

function scaled(position: string, digits: number): bigint {
  return BigInt(position.slice(0, INTEGER_DIGITS) + fractionOf(position).padEnd(digits, "0"));
}

function unscaled(value: bigint, digits: number): string {
  const text = String(value).padStart(INTEGER_DIGITS + digits, "0");
  const fraction = text.slice(INTEGER_DIGITS).replace(/0+$/u, "");
  const integer = text.slice(0, INTEGER_DIGITS);
  return fraction === "" ? integer : `${integer}.${fraction}`;
}
