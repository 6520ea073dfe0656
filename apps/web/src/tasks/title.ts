const LENGTH_MAX = 200;

/** What is wrong with a title, in a sentence; null if nothing is. The server counts code points, after trimming. */
export function titleFault(title: string): string | null {
  const length = Array.from(title.trim().normalize("NFC")).length;
  if (length === 0) return "A task needs a title.";
  if (length <= LENGTH_MAX) return null;
  return `A title has at most ${LENGTH_MAX.toString()} characters; this one has ${length.toString()}.`;
}
