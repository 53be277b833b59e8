import { sentenceStarts } from "@rag-ft/text";
import type { Block } from "../tree/block.js";
import { linesOf } from "../tree/lines.js";
import type { Rendered } from "../tree/render.js";
import { splitLines } from "./split-lines.js";
import { COST, type CutBlock, type Unit } from "./unit.js";

/** Where a unit begins, before its end and its tokens are known. */
interface Start {
  at: number;
  cost: number;
  heading?: boolean;
  border?: boolean;
  block?: CutBlock;
}

/** At most this share of a passage goes to a repeated table header or fence; a larger one is not repeated. */
const REPEATED_SHARE = 0.25;

function blockCost(block: Block): number {
  switch (block.kind) {
    case "heading":
      return COST.heading + COST.perHeadingLevel * Math.max(0, block.level - 2);
    case "term":
      return COST.likeHeading;
    case "item":
      return COST.item + COST.perItemLevel * (block.level - 1);
    case "code":
    case "table":
      return COST.figure;
    default:
      return COST.paragraph + COST.perItemLevel * block.level;
  }
}

/** Whether `at` lies within a stretch that stays whole (not at its ends). */
function isWithin(whole: Block["whole"], at: number): boolean {
  let low = 0;
  let high = whole.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((whole[middle]?.[1] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  const found = whole[low];
  return found !== undefined && found[0] < at;
}

function proseStarts(text: string, block: Block): Start[] {
  const { start, end, breaks, whole } = block;
  return splitLines(text, start, end, breaks).flatMap((line, i) => {
    const own = i === 0 ? blockCost(block) : COST.line;
    const heading = line.heading || (i === 0 && block.kind === "term");
    const cost = line.heading ? Math.min(own, COST.likeHeading) : own;
    return sentenceStarts(text, line.start, line.end)
      .map(
        (at, sentence): Start =>
          sentence === 0 ? { at, cost, heading, border: true } : { at, cost: COST.sentence, border: true },
      )
      .filter(({ at }) => at === start || !isWithin(whole, at));
  });
}

/** A code block or table too long for one passage: cut at its lines, best at blank ones; fence or header is repeated. */
function cutBlockStarts(text: string, block: Block, limit: number, count: (text: string) => number): Start[] {
  const lines = linesOf(text, block.start, block.end);
  const fenced = block.fence !== undefined;
  const openingLines = block.kind === "table" ? 2 : fenced ? 1 : 0;
  const before = openingLines > 0 ? text.slice(block.start, (lines[openingLines - 1]?.end ?? block.start) + 1) : "";
  const after = fenced ? `\n${block.fence}` : "";
  const cut: CutBlock = { before, after, beforeTokens: count(before), afterTokens: count(after), first: 0, last: 0 };
  if (cut.beforeTokens + cut.afterTokens > limit * REPEATED_SHARE) {
    Object.assign(cut, { before: "", after: "", beforeTokens: 0, afterTokens: 0 });
  }
  const starts: Start[] = [{ at: block.start, cost: blockCost(block), border: true, block: cut }];
  const closing = fenced ? lines.length - 1 : lines.length;
  for (let i = openingLines + 1; i < closing; i++) {
    const line = lines[i];
    if (line === undefined || line.text.trim() === "") continue;
    const afterBlank = lines[i - 1]?.text.trim() === "";
    starts.push({ at: line.start, cost: afterBlank ? COST.paragraph : COST.line, border: true, block: cut });
  }
  return starts;
}

/** Cuts what is still too long at commas and the like, then at spaces, then between characters. */
function splitLong(
  text: string,
  { whole }: Block,
  start: Start,
  end: number,
  limit: number,
  count: (text: string) => number,
): Start[] {
  const fits = (from: number, to: number): boolean => count(text.slice(from, to)) <= limit;
  if (fits(start.at, end)) return [start];
  const at = (pattern: RegExp, from: number, to: number): number[] => {
    const places = [...text.slice(from, to).matchAll(pattern)].map((match) => from + match.index + match[0].length);
    return [from, ...places.filter((place) => place > from && place < to && !isWithin(whole, place))];
  };
  const found: Start[] = [];
  const push = (place: number, cost: number): void => {
    found.push(
      place === start.at ? start : { at: place, cost, border: false, ...(start.block ? { block: start.block } : {}) },
    );
  };
  const halve = (from: number, to: number, cost: number): void => {
    push(from, cost);
    if (fits(from, to)) return;
    found.pop();
    let middle = from + Math.floor((to - from) / 2);
    // Not between the two halves of a surrogate pair.
    if (/[\uDC00-\uDFFF]/.test(text[middle] ?? "")) middle++;
    if (middle <= from || middle >= to) {
      push(from, cost);
      return;
    }
    halve(from, middle, cost);
    halve(middle, to, COST.word);
  };
  const clauses = at(/[,;:)\]}>–—|]\s+|\n/g, start.at, end);
  clauses.forEach((clause, i) => {
    const clauseEnd = clauses[i + 1] ?? end;
    if (fits(clause, clauseEnd)) {
      push(clause, COST.clause);
      return;
    }
    const words = at(/\s+/g, clause, clauseEnd);
    words.forEach((word, j) => {
      halve(word, words[j + 1] ?? clauseEnd, j === 0 ? COST.clause : COST.word);
    });
  });
  return found;
}

/**
 * The units of a page, each of at most `limit` tokens (with what is repeated around it), in order and covering
 * everything from the first block on. Tokens are counted once a unit.
 */
export function findUnits({ text, blocks }: Rendered, limit: number, count: (text: string) => number): Unit[] {
  const units: Unit[] = [];
  blocks.forEach((block, i) => {
    const end = blocks[i + 1]?.start ?? text.length;
    const whole = block.kind === "code" || block.kind === "table" || block.kind === "heading";
    const wholeTokens = whole ? count(text.slice(block.start, end)) : Number.POSITIVE_INFINITY;
    let starts: Start[];
    if (wholeTokens <= limit) {
      starts = [{ at: block.start, cost: blockCost(block), heading: block.kind === "heading", border: true }];
    } else if (block.kind === "code" || block.kind === "table") {
      starts = cutBlockStarts(text, block, limit, count);
    } else {
      starts = proseStarts(text, block);
    }
    const around = starts[0]?.block ? starts[0].block.beforeTokens + starts[0].block.afterTokens : 0;
    const fine = starts.flatMap((start, j) =>
      wholeTokens <= limit ? [start] : splitLong(text, block, start, starts[j + 1]?.at ?? end, limit - around, count),
    );
    const firstIndex = units.length;
    fine.forEach((start, j) => {
      const unitEnd = fine[j + 1]?.at ?? end;
      const slice = text.slice(start.at, unitEnd);
      const previous = units.at(-1);
      const colon =
        previous !== undefined && !start.block?.before && /:\s*$/.test(text.slice(previous.start, start.at));
      units.push({
        start: start.at,
        end: unitEnd,
        tokens: fine.length === 1 && wholeTokens <= limit ? wholeTokens : count(slice),
        cost: start.cost + (previous?.heading ? COST.afterHeading : 0) + (colon ? COST.afterColon : 0),
        heading: start.heading ?? false,
        border: start.border ?? false,
        of: i,
        ...(start.block ? { block: start.block } : {}),
      });
    });
    const cut = fine[0]?.block;
    if (cut) {
      cut.first = firstIndex;
      cut.last = units.length - 1;
    }
  });
  return units;
}
