/** A word as a POSIX shell reads it: plain where it can be, else within single quotes. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The command line that runs a stage with these settings, for a POSIX shell; a flag a line. Lists are repeated flags, except for empty
 * ones, which are left out.
 */
export function commandLine({ command, settings }: { command: string; settings: Record<string, unknown> }): string {
  const flags = Object.entries(settings).flatMap(([name, value]) => {
    if (value === undefined || value === null) return [];
    return [value].flat().map((item) => {
      const text = typeof item === "object" ? JSON.stringify(item) : String(item);
      return `--${name}=${text === "" ? "" : quoted(text)}`;
    });
  });
  return [`rag-ft ${command}`, ...flags].join(" \\\n  ");
}
