import { resolve } from "node:path";
import { UserError } from "@rag-ft/core";
import { type LeftOutPart, noCounts, readPages, type SourceFile } from "@rag-ft/documents";

const SHOWN = 160;

function describePart({ kind, text, line }: LeftOutPart): string {
  const shown = text.replace(/\s+/g, " ").trim();
  const cut = shown.length > SHOWN ? `${shown.slice(0, SHOWN)}… (${shown.length} characters)` : shown;
  return `  ${line === undefined ? "" : `line ${line}, `}${kind}${cut === "" ? "" : `: ${cut}`}`;
}

/**
 * What is left out of one page, for the terminal.
 *
 * @param wanted - the file's path or source
 * @throws UserError when no file is meant by it
 */
export async function explain(
  files: readonly SourceFile[],
  wanted: string,
  { warn, turn }: { warn: (message: string) => void; turn: () => Promise<void> },
): Promise<string> {
  const meant = files.filter(({ path, source }) => source === wanted || path === resolve(wanted));
  if (meant.length === 0) {
    throw new UserError(
      `explain: no file of document_path has the path or source ${wanted}. One of them is ${files[0]?.source}.`,
    );
  }
  const lines: string[] = [];
  for await (const { file, text, blocks, leftOut } of readPages(meant, {
    warn,
    turn,
    explain: true,
    counts: noCounts(),
  })) {
    lines.push(`${file.source}: ${text.length} characters in ${blocks.length} blocks are read. Left out:`);
    lines.push(...(leftOut.parts.length > 0 ? leftOut.parts.map(describePart) : ["  nothing"]));
  }
  return lines.length > 0 ? lines.join("\n") : `${wanted}: holds no text.`;
}
