import {
  KeyboardSensor,
  MouseSensor,
  TouchSensor,
  useSensor,
  useSensors,
  type Announcements,
  type DndContextProps,
  type Modifier,
  type UniqueIdentifier,
} from "@dnd-kit/core";
import { sortableKeyboardCoordinates } from "@dnd-kit/sortable";
import { announce } from "../notices/notices.ts";

/** Something that can be dragged to another place in its list. */
export interface Sortable {
  id: string;
  name: string;
}

/**
 * dnd-kit's own live region is a second `role="status"`; it goes into an element outside the document,
 * and `announce` speaks instead.
 */
const detached = document.createElement("div");

/** Mouse, touch and keyboard for a handle. */
export function useSortingSensors() {
  return useSensors(
    useSensor(MouseSensor, { activationConstraint: { distance: 4 } }),
    useSensor(TouchSensor, { activationConstraint: { delay: 120, tolerance: 8 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
}

/** Lists have one direction. */
export const sortingModifiers: Modifier[] = [({ transform }) => ({ ...transform, x: 0 })];

/** Say in words what happens during a drag. */
export function sortingAccessibility(
  items: readonly Sortable[],
): NonNullable<DndContextProps["accessibility"]> {
  const nameOf = (id: UniqueIdentifier) => items.find((item) => item.id === id)?.name ?? "";
  const placeOf = (id: UniqueIdentifier) => {
    const index = items.findIndex((item) => item.id === id);
    return `position ${(index + 1).toString()} of ${items.length.toString()}`;
  };
  const announcements: Announcements = {
    onDragStart: ({ active }) => {
      announce(`Picked up ${nameOf(active.id)}, ${placeOf(active.id)}.`);
      return undefined;
    },
    onDragOver: ({ active, over }) => {
      if (over) announce(`${nameOf(active.id)} is at ${placeOf(over.id)}.`);
      return undefined;
    },
    onDragEnd: ({ active, over }) => {
      if (over) announce(`Dropped ${nameOf(active.id)} at ${placeOf(over.id)}.`);
      return undefined;
    },
    onDragCancel: ({ active }) => {
      announce(`${nameOf(active.id)} is back where it was.`);
      return undefined;
    },
  };
  return { announcements, container: detached };
}
