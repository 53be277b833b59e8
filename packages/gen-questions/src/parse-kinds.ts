import type { ChatTurn, QuestionKind } from "@rag-ft/core";
import { parseQuestions } from "./parse-questions.js";

/** What a reply gives: questions, and the dialogue before them. */
export interface AskedQuestions {
  questions: string[];
  chat_history?: ChatTurn[];
}

const MAX_SEARCHES = 2;
/** Longer than this, a search is a sentence of the model's own; messages may be long. */
const MAX_WORDS = { keywords: 12, error_message: 60 };

const SEARCH_LABEL = /^[\s>*_#-]*(?:search|query|question|message)\s*\d*[*_\s]*[:.)-][*_\s]*/i;
const NUMBER = /^\s*(?:\(?\d{1,2}[.):]|[-*•])\s+/;
const NOTHING = /^["'*_\s]*(?:none|n\/a|nothing)\b[.!"'*_\s]*$/i;

/** The JSON object of a reply, bare or in a fence; undefined when there is none. */
function jsonObject(reply: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(reply.slice(reply.indexOf("{"), reply.lastIndexOf("}") + 1));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Without emphasis, and without quotation marks around the whole. */
function bare(text: string): string {
  const plain = text.replace(/^[\s*_]+|[\s*_]+$/g, "").replace(/\s+/g, " ");
  return /^["'“«`]([^"'“”«»`]*)["'”»`]$/.exec(plain)?.[1]?.trim() ?? plain;
}

/** Searches of a reply: a JSON list, lines with labels, numbers or bullets; a lead-in line without any is none. */
function parseSearches(reply: string, kind: "keywords" | "error_message"): string[] {
  const list = Object.values(jsonObject(reply) ?? {}).find(Array.isArray) as unknown[] | undefined;
  const lines = list ? list.filter((item) => typeof item === "string") : reply.split(/\r?\n/);
  const marked = lines.filter((line) => SEARCH_LABEL.test(line) || NUMBER.test(line));
  const searches = (list || marked.length === 0 ? lines : marked)
    .map((line) => bare(line.replace(SEARCH_LABEL, "").replace(NUMBER, "")))
    .filter((text) => text.length > 2 && !NOTHING.test(text) && !/[:：]$/.test(text))
    .filter((text) => text.split(" ").length <= MAX_WORDS[kind]);
  const distinct = searches.filter(
    (text, i) => searches.findIndex((one) => one.toLowerCase() === text.toLowerCase()) === i,
  );
  return distinct.slice(0, MAX_SEARCHES);
}

/** The three parts of a dialogue: a JSON object, or lines with their labels. */
function parseDialogue(reply: string): AskedQuestions {
  const object = jsonObject(reply);
  const line = (label: string): string | undefined =>
    new RegExp(
      `^[\\s>*_#-]*${label}[*_\\s]*:[*_\\s]*(.+(?:\\n(?![\\s>*_#-]*(?:question|answer|follow[- ]?up)\\b).+)*)`,
      "im",
    ).exec(reply)?.[1];
  const text = (value: unknown, label: string): string => bare(typeof value === "string" ? value : (line(label) ?? ""));
  const question = text(object?.question, "(?:first )?question(?: 1)?");
  const answer = text(object?.answer, "answer");
  const followUp = text(object?.follow_up, "follow[- ]?up(?: question)?");
  if (question === "" || answer === "" || followUp === "") return { questions: [] };
  return {
    questions: [followUp],
    chat_history: [
      { speaker: "user", message: question },
      { speaker: "assistant", message: answer },
    ],
  };
}

/** What a model's reply gives of the kind that it was asked for; no question where it has none. */
export function parseKind(reply: string, kind: QuestionKind | undefined): AskedQuestions {
  if (kind === "keywords" || kind === "error_message") return { questions: parseSearches(reply, kind) };
  if (kind === "follow_up") return parseDialogue(reply);
  const questions = parseQuestions(reply);
  return { questions: kind === "two_passages" ? questions.slice(0, 1) : questions };
}
