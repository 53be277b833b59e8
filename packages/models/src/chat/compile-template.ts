import { Template } from "@huggingface/jinja";

/** What templates that write the date are told: a prompt that changed from day to day would make no test and no resumption repeatable. */
const DATE = new Date(Date.UTC(2024, 6, 26));

function shown(options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat("en-US", { ...options, timeZone: "UTC" }).format(DATE);
}

const two = (value: number): string => String(value).padStart(2, "0");

/** Python's `strftime` of that date, as far as templates use it; another code stays as it is. */
const CODES: Readonly<Record<string, string>> = {
  "%Y": String(DATE.getUTCFullYear()),
  "%m": two(DATE.getUTCMonth() + 1),
  "%d": two(DATE.getUTCDate()),
  "%b": shown({ month: "short" }),
  "%B": shown({ month: "long" }),
  "%a": shown({ weekday: "short" }),
  "%A": shown({ weekday: "long" }),
  "%H": "00",
  "%M": "00",
  "%S": "00",
};

const fixedDate = (format: string): string => format.replace(/%[a-zA-Z]/g, (code) => CODES[code] ?? code);

type Strip = "strip" | "lstrip" | "rstrip";

/** Python's `strip` and its kind with an argument: takes these characters from the ends. */
function stripped(kind: Strip, text: string, characters: string): string {
  const set = new Set(characters);
  const units = [...text];
  let [from, to] = [0, units.length];
  while (kind !== "rstrip" && from < to && set.has(units[from] ?? "")) from++;
  while (kind !== "lstrip" && to > from && set.has(units[to - 1] ?? "")) to--;
  return units.slice(from, to).join("");
}

const STRIPS = Object.fromEntries(
  (["strip", "lstrip", "rstrip"] as const).map((kind) => [
    `rag_ft_${kind}`,
    (text: string, characters: string) => stripped(kind, text, characters),
  ]),
);

/** The library passes over the argument of `strip`: such calls are handed to our own functions. */
function withStrips(node: unknown): void {
  if (typeof node !== "object" || node === null) return;
  for (const value of Object.values(node)) withStrips(value);
  const call = node as { type?: string; callee?: unknown; args?: unknown[] };
  const callee = call.callee as { type?: string; object?: unknown; property?: { value?: unknown } } | undefined;
  if (call.type !== "CallExpression" || callee?.type !== "MemberExpression" || call.args?.length !== 1) return;
  const name = `rag_ft_${callee.property?.value}`;
  if (!(name in STRIPS)) return;
  call.args = [callee.object, ...call.args];
  call.callee = new Template(`{{ ${name} }}`).parsed.body[0];
}

/** Compiles a chat template as transformers does. The date that it may write is always 26 July 2024. */
export function compileTemplate(source: string): (variables: Record<string, unknown>) => string {
  const template = new Template(source);
  withStrips(template.parsed);
  // The library's own `strftime_now` cannot be replaced from outside, but a template can.
  template.parsed.body.unshift(...new Template("{% set strftime_now = rag_ft_date %}").parsed.body);
  return (variables) => template.render({ ...variables, ...STRIPS, rag_ft_date: fixedDate });
}
