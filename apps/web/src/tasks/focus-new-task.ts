let isWanted = false;

/** The id of the field that adds a task. */
export const NEW_TASK_ID = "new-task";

/** Let the next field for a new task take the focus: after signing in, and in a list that is new. */
export function focusNextNewTask(): void {
  // On a phone it would open the keyboard over the tasks.
  isWanted = window.matchMedia("(hover: hover)").matches;
}

/** Focus the field if that was asked for. */
export function takeFocusIfWanted(field: HTMLElement | null): void {
  if (!isWanted) return;
  isWanted = false;
  field?.focus();
}
