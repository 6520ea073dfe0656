import type { CallOptions } from "../http/transport.js";
import type { ExportRecord } from "../models.js";
import type { Api } from "./api.js";
import { readResponseLines } from "./ndjson.js";

/** Options of an export. */
export interface ExportOptions extends CallOptions {
  /** Called for each record with the number of records that have arrived. */
  onProgress?: (progress: { records: number }) => void;
}

/** All that the user has; each way of reading it sends a request of its own. */
export interface Export extends AsyncIterable<ExportRecord> {
  /** Return the whole text, one JSON object a line, as a file to save and to import. */
  blob(): Promise<Blob>;
}

/** Make an export that is requested when it is read. */
export function createExport(api: Api, options: ExportOptions = {}): Export {
  async function* lines(): AsyncGenerator<string, void, undefined> {
    let records = 0;
    const traits = { isStream: true };
    const { stream } = await api.send("GET", "/users/me/export", {}, options, traits);
    for await (const line of stream ? readResponseLines(stream) : []) {
      yield line;
      records += 1;
      options.onProgress?.({ records });
    }
  }

  return {
    async *[Symbol.asyncIterator]() {
      for await (const line of lines()) yield JSON.parse(line) as ExportRecord;
    },
    async blob() {
      const parts: string[] = [];
      for await (const line of lines()) parts.push(line, "\n");
      return new Blob(parts, { type: "application/x-ndjson" });
    },
  };
}
