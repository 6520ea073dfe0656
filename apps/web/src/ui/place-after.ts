/** The id after which `activeId` stands once it has taken the place of `overId`; null if it is first. */
export function placeAfter(
  ids: readonly string[],
  activeId: string,
  overId: string,
): string | null {
  const others = ids.filter((id) => id !== activeId);
  return others[ids.indexOf(overId) - 1] ?? null;
}
