const TAG = /\b(tag|end)::([^\s[\]]+)\[\]/;

/**
 * Lines of a file that an include directive takes, less the marks of parts.
 *
 * @param lines - `1..5;8;10..-1`; empty or undefined: by tags
 * @param tags - `a;b`; `*` and `**` stand for all
 */
export function selectLines(text: string, lines: string | undefined, tags: string | undefined): string {
  const all = text.split("\n");
  if (lines) {
    const ranges = lines.split(/[;,]/).map((range) => {
      const [from = "", to = from] = range.trim().split("..");
      const last = Number(to);
      return [Number(from), to === "" || last < 0 ? all.length : last] as const;
    });
    return all.filter((_, i) => ranges.some(([from, to]) => i + 1 >= from && i + 1 <= to)).join("\n");
  }
  const wanted = new Set((tags ?? "**").split(/[;,]/).map((tag) => tag.trim()));
  const every = wanted.has("*") || wanted.has("**");
  const open: string[] = [];
  const chosen: string[] = [];
  for (const line of all) {
    const mark = TAG.exec(line);
    if (mark?.[1] === "tag") open.push(mark[2] ?? "");
    else if (mark) open.pop();
    else if ((every && !open.some((tag) => wanted.has(`!${tag}`))) || open.some((tag) => wanted.has(tag)))
      chosen.push(line);
  }
  return chosen.join("\n");
}
