/** What opens and closes a model's thoughts where the server leaves them in the reply: the pairs that models of 2024 to 2026 write. */
const PAIRS: readonly (readonly [open: string, close: string])[] = [
  ...["think", "thinking", "thought", "thoughts", "reasoning", "reflection", "seed:think"].map(
    (name) => [`<${name}>`, `</${name}>`] as const,
  ),
  ["◁think▷", "◁/think▷"],
  ["[THINK]", "[/THINK]"],
  ["<|begin_of_thought|>", "<|end_of_thought|>"],
  ["<|START_THINKING|>", "<|END_THINKING|>"],
  ["<|channel|>analysis<|message|>", "<|end|>"],
  ["<|channel>thought", "<channel|>"],
];

/** Marks of thoughts that may be one token of a vocabulary. */
export const THOUGHT_MARKS: readonly string[] = PAIRS.flat();

/** Harmony's channels, which gpt-oss writes: all before the last that is final is thought, whatever ends it. With the marks gone, only the words stay. */
const CHANNEL = /^\s*(?:<\|start\|>assistant)?<\|channel\|>(?!final)/;
const FINAL = /^[\s\S]*<\|channel\|>final(?: <\|constrain\|>\w+)?<\|message\|>/;
const BARE_CHANNELS = /^\s*analysis(?=\p{Lu}|\s)[\s\S]*?assistantfinal/u;

/** What stands around the answer itself once the thoughts are gone. */
const WRAPPERS = [
  /^\s*(?:<\|start\|>assistant)?<\|channel\|>final<\|message\|>/,
  /<\|(?:return|end|im_end|eot_id)\|>\s*$/,
  /^\s*<\|start\|>assistant\s*/,
  /^\s*<\|(?:begin_of_solution|START_RESPONSE)\|>|<\|(?:end_of_solution|END_RESPONSE)\|>\s*$/g,
];
/** The whole answer in a tag of its own, as some prompts of reasoning models ask for. */
const ANSWER_TAG = /^\s*<(answer|response|final_answer)>((?:(?!<\1>)[\s\S])*)<\/\1>\s*$/i;

export interface Thoughtless {
  /** The reply without the model's thoughts. */
  text: string;
  /** Whether thoughts were taken out. */
  thought: boolean;
  /** The reply was cut within the thoughts: there is no answer. */
  unfinished: boolean;
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Whether the place is within a fenced block: what stands there is shown, not said. */
function isFenced(text: string, at: number): boolean {
  return (text.slice(0, at).match(/^[ \t]*(?:```|~~~)/gm)?.length ?? 0) % 2 === 1;
}

/** Where a mark stands at the beginning of a line (or of the text), from `from` on: a mark within a sentence is spoken of, not used. */
function markAt(text: string, mark: string, from = 0): number {
  const lower = text.toLowerCase();
  const wanted = mark.toLowerCase();
  for (let at = lower.indexOf(wanted, from); at >= 0; at = lower.indexOf(wanted, at + 1)) {
    const lineStart = text.lastIndexOf("\n", at - 1) + 1;
    if (text.slice(lineStart, at).trim() === "" && !isFenced(text, at)) return at;
  }
  return -1;
}

/** The end mark may stand at the end of the last thought's line: anywhere, but not as code (`</think>`). */
function closeAt(text: string, mark: string, from: number): { at: number; end: number } | undefined {
  const found = new RegExp(`(?<!\`)${literal(mark)}(?!\`)`, "i").exec(text.slice(from));
  return found ? { at: from + found.index, end: from + found.index + found[0].length } : undefined;
}

/** The end of an open part: its own mark or, where that never comes, another name's (`<think>…</thinking>`). */
function endOf(text: string, open: string, close: string, from: number): number | undefined {
  const own = closeAt(text, close, from);
  if (own || !/^<\w/.test(open)) return own?.end;
  const others = PAIRS.filter(([, other]) => other.startsWith("</") && other !== close);
  return others.map(([, other]) => closeAt(text, other, from)?.end).find((end) => end !== undefined);
}

/**
 * Takes a model's thoughts out of its reply: closed parts at the beginning of a line, a part that is never closed (the reply was cut), and all
 * before an end mark whose beginning the server has put into the prompt.
 */
export function withoutThinking(reply: string): Thoughtless {
  const answer = CHANNEL.test(reply) ? reply.replace(FINAL, "") : reply.replace(BARE_CHANNELS, "");
  let thought = answer !== reply;
  if (!thought && CHANNEL.test(reply) && !reply.includes("<|end|>"))
    return { text: "", thought: true, unfinished: true };
  let text = answer;
  for (const [open, close] of PAIRS) {
    for (let start = markAt(text, open); start >= 0; start = markAt(text, open, start)) {
      thought = true;
      const end = endOf(text, open, close, start + open.length);
      if (end === undefined)
        return { text: text.slice(0, start).trim(), thought, unfinished: text.slice(0, start).trim() === "" };
      text = text.slice(0, start) + text.slice(end);
    }
    // Only the first is an end of thoughts; one at the beginning of a line or at the end of its line.
    const found = closeAt(text, close, 0);
    if (!found || close === "<|end|>" || isFenced(text, found.at)) continue;
    const restOfLine = text.slice(found.end).split("\n", 1)[0] ?? "";
    if (markAt(text, close) === found.at || restOfLine.trim() === "") {
      thought = true;
      text = text.slice(found.end);
    }
  }
  const tagged = ANSWER_TAG.exec(text)?.[2];
  if (tagged !== undefined) text = tagged;
  else if (!thought && !WRAPPERS[0]?.test(text)) return { text: reply, thought, unfinished: false };
  for (const wrapper of WRAPPERS) text = text.replace(wrapper, "");
  return { text: text.trim(), thought, unfinished: false };
}

/** What may yet become a mark: text that goes with it. */
const BEGINNINGS = ["<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>commentary<|message|>", "<answer>"];

/** While a reply grows: the text of it that is no thought, empty as long as it may yet become one. */
export function visibleSoFar(reply: string): string {
  const begun = reply.trimStart().toLowerCase();
  if (begun !== "" && [...THOUGHT_MARKS, ...BEGINNINGS].some((mark) => mark.toLowerCase().startsWith(begun))) return "";
  return withoutThinking(reply).text;
}
