const SHOWN_EXAMPLES = 5;
const SHOWN_CHARACTERS = 60;

export interface ShownExample {
  text: string;
  id?: string | undefined;
}

/** Examples of a step in a line, for a message: the first few, each in short, with its id if it has one. */
export function describeExamples(examples: readonly ShownExample[]): string {
  const shown = examples.slice(0, SHOWN_EXAMPLES).map(({ text, id }) => {
    const short = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
    return `${JSON.stringify(short)}${id === undefined ? "" : ` (${id})`}`;
  });
  const more = examples.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
