import type { CallOptions } from "../http/transport.js";
import type { ExportRecord, ImportReport } from "../models.js";
import type { Api } from "./api.js";
import { readLines, type TextSource } from "./ndjson.js";

const PART_BYTES_DEFAULT = 60_000_000;
/** Longer than the platform waits for the body. */
const DEADLINE_SECONDS = 120;

/** An export: its text, or its records in their order. */
export type ImportSource = TextSource | Iterable<ExportRecord> | AsyncIterable<ExportRecord>;

/** Options of an import. */
export interface ImportOptions extends CallOptions {
  /**
   * How long one request is; a longer import is sent in parts.
   *
   * All of a part is imported or nothing. Small parts suit slow connections and make progress visible.
   */
  partBytes?: number;
  /** Called after each part with the number of lines that have been imported. */
  onProgress?: (progress: { records: number }) => void;
}

/** Import what was exported, and add up the reports of the parts. */
export async function importAll(
  api: Api,
  source: ImportSource,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const total: ImportReport = { created: 0, updated: 0, unchanged: 0, renumbered: 0 };
  let records = 0;
  for await (const part of split(linesOf(source), options.partBytes ?? PART_BYTES_DEFAULT)) {
    const report = await importPart(api, part, options);
    // No report counts the profile, which is the first of the repeated lines.
    const repeatedRecords = Math.max(0, part.repeatedLines.length - 1);
    total.created += report.created;
    total.updated += report.updated;
    total.unchanged += report.unchanged - repeatedRecords;
    total.renumbered += report.renumbered;
    records += part.newLines.length;
    options.onProgress?.({ records });
  }
  return total;
}

function importPart(api: Api, part: Part, options: ImportOptions): Promise<ImportReport> {
  const lines = [...part.repeatedLines, ...part.newLines];
  const content = {
    body: `${lines.join("\n")}\n`,
    headers: { "Content-Type": "application/x-ndjson" },
  };
  const callOptions = { deadlineSeconds: DEADLINE_SECONDS, ...options };
  return api.call("POST", "/users/me/import", content, callOptions);
}

/** What is sent in one request. */
interface Part {
  /** The profile, lists and labels of earlier parts, to which the tasks of this one may refer. */
  repeatedLines: string[];
  newLines: string[];
}

/** Split into parts that are no longer than `bytesMax`, unless one line is. */
async function* split(lines: AsyncIterable<string>, bytesMax: number): AsyncGenerator<Part> {
  const encoder = new TextEncoder();
  const head: string[] = [];
  let headBytes = 0;
  let part: Part = { repeatedLines: [], newLines: [] };
  let bytes = 0;
  for await (const line of lines) {
    const length = encoder.encode(line).length + 1;
    if (bytes + length > bytesMax && part.newLines.length > 0) {
      yield part;
      part = { repeatedLines: [...head], newLines: [] };
      bytes = headBytes;
    }
    part.newLines.push(line);
    bytes += length;
    if (!isTask(line)) {
      head.push(line);
      headBytes += length;
    }
  }
  if (part.newLines.length > 0) yield part;
}

/** Say whether a line is a task; the platform says what is wrong with one that is nothing. */
function isTask(line: string): boolean {
  try {
    const record: unknown = JSON.parse(line);
    const hasKind = typeof record === "object" && record !== null && "kind" in record;
    return !hasKind || record.kind === "task";
  } catch {
    return true;
  }
}

async function* linesOf(source: ImportSource): AsyncGenerator<string> {
  if (isText(source)) {
    yield* readLines(source);
    return;
  }
  for await (const record of source) yield JSON.stringify(record);
}

/** A stream is iterable as well where the runtime has that, but its chunks are no records. */
function isText(source: ImportSource): source is TextSource {
  return typeof source === "string" || source instanceof Blob || source instanceof ReadableStream;
}
