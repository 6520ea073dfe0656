import type { Fault } from "@task-platform/client";

/** More would be a wall of text; one is enough to find the place. */
const FAULTS_MAX = 3;

/** The fields of the first line, by which an export is recognized. */
const FORMAT_FIELDS: readonly unknown[] = ["kind", "format"];

/**
 * Say in a sentence why a file was not imported, with the line and the field; null if no line is named.
 *
 * `sent`: how many lines were imported before. The server counts the lines of each request anew, so its numbers are
 * those of the file in the first request only.
 */
export function describeImportFaults(allFaults: readonly Fault[], sent: number): string | null {
  const faults = allFaults.filter(({ location }) => typeof location[1] === "number");
  const [first] = faults;
  if (first === undefined) return null;
  if (sent === 0 && isAboutFormat(first)) {
    return `This is not an export of this app (line ${String(first.location[1])}).`;
  }
  const sentences = faults.slice(0, FAULTS_MAX).map((fault) => describeFault(fault, sent));
  return sentences.join(" ");
}

function isAboutFormat({ location }: Fault): boolean {
  const [, line, field] = location;
  return line === 1 && (field === undefined || FORMAT_FIELDS.includes(field));
}

function describeFault({ location, message }: Fault, sent: number): string {
  const [, line, ...path] = location;
  const place = sent === 0 ? `Line ${String(line)}` : `After line ${sent.toLocaleString()}`;
  const field = path.length === 0 ? "" : `, ${path.join(".")}`;
  return `${place}${field}: ${message.replace(/\.?$/, ".")}`;
}
