import { useEffect, useState } from "react";
import { describeProblem } from "../describe-problem.ts";
import { client } from "../platform.ts";
import { Fault } from "../ui/fault.tsx";
import { Modal } from "../ui/modal.tsx";
import { saveFile } from "./files.ts";

/** How often the number on the page changes. */
const RECORDS_PER_STEP = 100;

type Progress =
  | { state: "running"; records: number }
  | { state: "done"; records: number; blob: Blob; name: string }
  | { state: "failed"; message: string };

/** Fetches everything that the account has and saves it as a file. */
export function ExportDialog({ onClose }: { onClose: () => void }) {
  const [progress, setProgress] = useState<Progress>({ state: "running", records: 0 });

  useEffect(() => {
    const abort = new AbortController();
    const report = (next: Progress) => {
      if (!abort.signal.aborted) setProgress(next);
    };
    void exportAll(abort.signal, report);
    return () => {
      abort.abort();
    };
  }, []);

  return (
    <Modal title="Export" onClose={onClose}>
      {progress.state === "running" && (
        <>
          <progress aria-label="Export" />
          <p aria-live="polite">{progress.records.toLocaleString()} entries so far</p>
        </>
      )}
      {progress.state === "done" && (
        <p aria-live="polite">
          {progress.records.toLocaleString()} entries are saved as <strong>{progress.name}</strong>.
          The file can be imported here or elsewhere.
        </p>
      )}
      {progress.state === "failed" && <Fault message={progress.message} />}
      <div className="dialog-buttons">
        {progress.state === "done" && (
          <button
            type="button"
            className="button"
            onClick={() => {
              saveFile(progress.blob, progress.name);
            }}
          >
            Save again
          </button>
        )}
        <button type="button" className="button primary" onClick={onClose}>
          {progress.state === "running" ? "Cancel" : "Done"}
        </button>
      </div>
    </Modal>
  );
}

async function exportAll(signal: AbortSignal, report: (progress: Progress) => void): Promise<void> {
  try {
    let records = 0;
    const content = client.users.exportMe({
      signal,
      onProgress: (progress) => {
        records = progress.records;
        if (records % RECORDS_PER_STEP === 0) report({ state: "running", records });
      },
    });
    const blob = await content.blob();
    if (signal.aborted) return;
    const name = `tasks-${new Date().toISOString().slice(0, 10)}.ndjson`;
    saveFile(blob, name);
    report({ state: "done", records, blob, name });
  } catch (error) {
    report({ state: "failed", message: describeProblem(error) });
  }
}
