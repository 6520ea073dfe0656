/** Say what is wrong with the fields of a request; what is no sentence by itself needs the name of its field. */
export function describeFields(fields: Readonly<Record<string, string>>): string {
  const sentences = Object.entries(fields).map(([name, message]) =>
    message.endsWith(".") ? message : `${name}: ${message}.`,
  );
  return sentences.join(" ");
}
