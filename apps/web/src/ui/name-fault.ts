const LENGTH_MAX = { list: 120, label: 50 } as const;

/** What is wrong with the name of a list or label, in a sentence; null if nothing is. `others` have their names already. */
export function nameFault(
  kind: "list" | "label",
  name: string,
  others: readonly { name: string }[],
): string | null {
  const normalized = name.trim().normalize("NFC");
  const lengthMax = LENGTH_MAX[kind];
  if (normalized === "") return `A ${kind} needs a name.`;
  if (Array.from(normalized).length > lengthMax)
    return `A name has at most ${lengthMax.toString()} characters.`;
  if (others.some((other) => isSameName(other.name, normalized)))
    return `You have a ${kind} with this name already.`;
  return null;
}

/** Whether two names mean the same list or label. */
export function isSameName(left: string, right: string): boolean {
  return foldName(left) === foldName(right);
}

/** The name by which lists and labels are told apart. */
export function foldName(name: string): string {
  return name.toLowerCase();
}
