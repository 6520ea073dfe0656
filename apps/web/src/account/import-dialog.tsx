import { useTaskStore } from "@task-platform/client/react";
import { ProblemError, type ImportReport } from "@task-platform/client";
import type { TaskStore } from "@task-platform/client/sync";
import { useEffect, useState } from "react";
import { describeProblem } from "../describe-problem.ts";
import { client } from "../platform.ts";
import { Fault } from "../ui/fault.tsx";
import { Modal } from "../ui/modal.tsx";
import { describeImportFaults } from "./describe-import-faults.ts";
import { countLines } from "./files.ts";

/** Small enough that progress shows on a slow connection. */
const PART_BYTES = 1_000_000;

type Progress =
  | { state: "reading" }
  | { state: "sending"; lines: number; sent: number }
  | { state: "done"; report: ImportReport }
  | { state: "failed"; message: string };

/** Sends an exported file and shows what came of it. */
export function ImportDialog({ file, onClose }: { file: File; onClose: () => void }) {
  const store = useTaskStore();
  const [progress, setProgress] = useState<Progress>({ state: "reading" });

  useEffect(() => {
    const abort = new AbortController();
    const report = (next: Progress) => {
      if (!abort.signal.aborted) setProgress(next);
    };
    void importFile(file, store, abort.signal, report);
    return () => {
      abort.abort();
    };
  }, [file, store]);

  const isRunning = progress.state === "reading" || progress.state === "sending";
  return (
    <Modal title="Import" onClose={onClose}>
      {isRunning && (
        <>
          {progress.state === "sending" && progress.sent > 0 ? (
            <progress aria-label="Import" value={progress.sent} max={progress.lines} />
          ) : (
            <progress aria-label="Import" />
          )}
          <p aria-live="polite">
            {progress.state === "reading"
              ? `Reading ${file.name}`
              : `${progress.sent.toLocaleString()} of ${progress.lines.toLocaleString()} entries sent`}
          </p>
        </>
      )}
      {progress.state === "done" && <ReportTable report={progress.report} />}
      {progress.state === "failed" && <Fault message={progress.message} />}
      <div className="dialog-buttons">
        <button type="button" className="button primary" onClick={onClose}>
          {isRunning ? "Cancel" : "Done"}
        </button>
      </div>
    </Modal>
  );
}

function ReportTable({ report }: { report: ImportReport }) {
  const { created, updated, unchanged, renumbered } = report;
  const rows = [
    ["Added", created],
    ["Replaced", updated],
    ["Unchanged", unchanged],
    ["With a new id", renumbered],
  ] as const;
  return (
    <dl className="report" aria-live="polite">
      {rows.map(([name, count]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{count.toLocaleString()}</dd>
        </div>
      ))}
    </dl>
  );
}

async function importFile(
  file: File,
  store: TaskStore,
  signal: AbortSignal,
  report: (progress: Progress) => void,
): Promise<void> {
  let sent = 0;
  try {
    const lines = countLines(new Uint8Array(await file.arrayBuffer()));
    if (signal.aborted) return;
    report({ state: "sending", lines, sent: 0 });
    const result = await client.users.importMe(file, {
      signal,
      partBytes: PART_BYTES,
      onProgress: ({ records }) => {
        sent = records;
        report({ state: "sending", lines, sent });
      },
    });
    report({ state: "done", report: result });
    await store.sync();
  } catch (error) {
    report({ state: "failed", message: describeFailure(error, sent) });
  }
}

function describeFailure(error: unknown, sent: number): string {
  const sentence = error instanceof ProblemError ? describeImportFaults(error.faults, sent) : null;
  return sentence ?? describeProblem(error);
}
