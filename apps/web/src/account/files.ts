const LINE_FEED = 10;

/** How many lines end in a part of a text. */
export function countLines(part: Uint8Array): number {
  let lines = 0;
  for (const byte of part) {
    if (byte === LINE_FEED) lines += 1;
  }
  return lines;
}

/** Let the browser save a file as a download. */
export function saveFile(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser reads the content after this call.
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 60_000);
}
