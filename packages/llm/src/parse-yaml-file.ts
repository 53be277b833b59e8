import { DataError } from "@rag-ft/core";
import { parseDocument } from "yaml";

/** @throws DataError with the line when the text is no YAML. */
export function parseYamlFile(text: string, path: string): unknown {
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (problem) {
    const line = problem.linePos?.[0].line;
    throw new DataError(`${path}${line ? `:${line}` : ""}: not valid YAML: ${problem.message}`, { cause: problem });
  }
  return document.toJS();
}
