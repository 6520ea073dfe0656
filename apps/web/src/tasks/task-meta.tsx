import type { Due } from "@task-platform/client";
import { useSubtasks, useTaskStore } from "@task-platform/client/react";
import { isOverdue, type LocalTask } from "@task-platform/client/sync";
import { RepeatSign } from "../recurrence/repeat-sign.tsx";
import { Progress } from "../subtasks/progress.tsx";
import { Icon } from "../ui/icon.tsx";
import { viewUrl } from "../workspace/view.ts";
import { describeDue, localZone } from "./due.ts";

interface TaskMetaProps {
  task: LocalTask;
  now: Date;
  /** The name of the task's list, where the page shows several lists. */
  listName: string | undefined;
}

/** The small line below a title: due date, priority, list, labels. Nothing if there is nothing to say. */
export function TaskMeta({ task, now, listName }: TaskMetaProps) {
  const { due, priority, labels, description, recurrence } = task;
  const store = useTaskStore();
  const { subtasks, completed } = useSubtasks(task.id);
  const parent = task.parent_id === null ? undefined : store.getTask(task.parent_id);
  const hasNotes = description !== null && description !== "";
  const hasRelatives = subtasks.length > 0 || parent !== undefined;
  const isPlain = due === null && priority === "none" && labels.length === 0 && !hasNotes;
  if (isPlain && !listName && !hasRelatives && recurrence === null) return null;

  return (
    <div className="task-meta">
      {due !== null && <DueText task={task} due={due} now={now} />}
      {recurrence !== null && <RepeatSign recurrence={recurrence} />}
      {subtasks.length > 0 && <Progress completed={completed} count={subtasks.length} />}
      {parent !== undefined && (
        <span className="meta-item">
          <Icon name="checklist" />
          <span className="visually-hidden">Part of </span>
          <span className="meta-name">{parent.title}</span>
        </span>
      )}
      {priority !== "none" && (
        <span className={`meta-item priority-${priority}`}>
          <Icon name="flag" />
          {PRIORITY_NAMES[priority]}
        </span>
      )}
      {listName !== undefined && (
        <span className="meta-item">
          <Icon name="inbox" />
          {listName}
        </span>
      )}
      {hasNotes && (
        <span className="meta-item">
          <Icon name="note" />
          <span className="visually-hidden">Has notes</span>
        </span>
      )}
      {labels.map((label) => (
        <a
          key={label}
          className="chip"
          href={viewUrl({ kind: "label", name: label })}
          onClick={(event) => {
            event.stopPropagation();
          }}
        >
          {label}
        </a>
      ))}
    </div>
  );
}

const PRIORITY_NAMES = { low: "Low", medium: "Medium", high: "High" } as const;

interface DueTextProps {
  task: LocalTask;
  due: Due;
  now: Date;
}

function DueText({ task, due, now }: DueTextProps) {
  const isLate = isOverdue(task, now, localZone);
  return (
    <span className={`meta-item ${isLate ? "overdue" : ""}`}>
      <Icon name={isLate ? "warning" : "calendar"} />
      <time dateTime={due.at ?? due.date}>
        {isLate && "Overdue · "}
        {describeDue(due, now)}
      </time>
    </span>
  );
}
