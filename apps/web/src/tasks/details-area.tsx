import { useTasks } from "@task-platform/client/react";
import type { LocalTask, TaskFilter } from "@task-platform/client/sync";
import { Suspense, useEffect, useRef, type ReactNode } from "react";
import { IconButton } from "../ui/icon-button.tsx";
import { lazyPart } from "../ui/lazy-part.tsx";
import { Modal } from "../ui/modal.tsx";
import { useMediaQuery } from "../ui/use-media-query.ts";

const TaskDetails = lazyPart(async () => (await import("./task-details.tsx")).TaskDetails);

const EVERYTHING: TaskFilter = {};

interface DetailsAreaProps {
  taskId: string;
  onShowDetails: (id: string) => void;
  onDelete: (task: LocalTask) => void;
  onClose: () => void;
}

/** The details of a task: beside the list where there is room, else a sheet above it. */
export function DetailsArea({ taskId, onShowDetails, onDelete, onClose }: DetailsAreaProps) {
  const { tasks } = useTasks(EVERYTHING);
  const isWide = useMediaQuery("(min-width: 68rem)");
  const task = tasks.find(({ id }) => id === taskId);
  if (task === undefined) return null;

  const content = (
    <Suspense fallback={null}>
      <TaskDetails key={taskId} task={task} onShowDetails={onShowDetails} onDelete={onDelete} />
    </Suspense>
  );
  if (!isWide) {
    return (
      <Modal title="Details" shape="sheet" onClose={onClose}>
        {content}
      </Modal>
    );
  }
  return (
    <SidePanel key={taskId} onClose={onClose}>
      {content}
    </SidePanel>
  );
}

function SidePanel({ children, onClose }: { children: ReactNode; onClose: () => void }) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    panel.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <aside
      ref={panel}
      className="side-panel"
      aria-labelledby="details-heading"
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div className="modal-header">
        <h2 id="details-heading">Details</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </div>
      {children}
    </aside>
  );
}
