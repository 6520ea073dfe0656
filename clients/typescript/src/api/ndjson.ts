import { NetworkError } from "../errors.js";

/** Where the text of an export can come from. */
export type TextSource = string | Blob | ReadableStream<Uint8Array>;

/** Read lines, without their ends and without empty ones. */
export async function* readLines(source: TextSource): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const text of readText(source)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter(isNotBlank);
  }
  if (isNotBlank(rest)) yield rest;
}

function isNotBlank(line: string): boolean {
  return line.trim() !== "";
}

async function* readText(source: TextSource): AsyncGenerator<string, void, undefined> {
  if (typeof source === "string") {
    yield source;
    return;
  }
  const stream = source instanceof Blob ? source.stream() : source;
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield decoder.decode(value, { stream: true });
    }
    yield decoder.decode();
  } finally {
    // Whoever stops reading early also ends the response.
    reader.cancel().catch(() => undefined);
  }
}

/** Read the lines of a response, whose connection can be lost on the way. */
export async function* readResponseLines(
  response: Response,
): AsyncGenerator<string, void, undefined> {
  // React Native shows no stream.
  const source = (response.body as Response["body"] | undefined) ?? (await response.text());
  try {
    yield* readLines(source);
  } catch (error) {
    throw new NetworkError("The connection was lost during the export.", { cause: error });
  }
}
