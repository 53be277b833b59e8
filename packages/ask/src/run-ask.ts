import { createInterface } from "node:readline/promises";
import type { Writable } from "node:stream";
import { openSystem, type RagSystem } from "@rag-ft/answer";
import {
  type ChatTurn,
  type StageContext,
  type StageResult,
  type Terminal,
  throwIfCancelled,
  UserError,
} from "@rag-ft/core";
import { answerRow, passageLines } from "./answer-text.js";
import type { AskSettings } from "./settings.js";

/**
 * Questions of the terminal, a line each, until it ends. An empty line ends a dialogue, too, and what a person types; in a list of questions
 * from elsewhere it says nothing. A prompt is shown to a person only.
 */
async function* typedQuestions(
  { input, output }: Terminal,
  chat: boolean,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const person = "isTTY" in input && input.isTTY === true;
  const lines = createInterface({ input, ...(person ? { output } : {}), signal, crlfDelay: Number.POSITIVE_INFINITY });
  if (person) lines.setPrompt("> ");
  try {
    if (person) lines.prompt();
    for await (const line of lines) {
      const question = line.trim();
      if (question === "" && (person || chat)) return;
      if (question !== "") yield question;
      if (person) lines.prompt();
    }
  } finally {
    lines.close();
  }
}

interface Asking {
  system: RagSystem;
  output: Writable;
  json: boolean;
  signal: AbortSignal;
}

/** Asks one question and writes the answer while it is made. Returns what the system said. */
async function answerOne(question: string, history: readonly ChatTurn[], { system, output, json, signal }: Asking) {
  let said = "";
  for await (const event of system.stream(question, { history, signal })) {
    if (event.type === "text" && !json) output.write(event.text);
    if (event.type !== "answer") continue;
    const { answer } = event;
    said = answer.text;
    if (json) output.write(`${JSON.stringify(answerRow(question, answer))}\n`);
    else output.write(`${said === "" ? "(no answer)" : ""}\n\n${passageLines(answer.passages)}`);
  }
  return said;
}

/** Answers the question of the settings, then those of the terminal where that is wanted. */
export async function runAsk(settings: AskSettings, context: StageContext): Promise<StageResult> {
  const { question, chat, json, ...named } = settings;
  const { terminal, signal } = context;
  if (!terminal) throw new UserError("ask: talks with a terminal, and cannot be a stage of a run.");
  const system = await openSystem(named, context);
  try {
    const asking: Asking = { system, output: terminal.output, json, signal };
    const history: ChatTurn[] = [];
    let asked = 0;
    const ask = async (next: string): Promise<void> => {
      const answer = await answerOne(next, chat ? history : [], asking);
      history.push({ speaker: "user", message: next }, { speaker: "assistant", message: answer });
      asked++;
    };
    if (question !== undefined) await ask(question);
    if (chat || question === undefined)
      for await (const next of typedQuestions(terminal, chat, signal)) await ask(next);
    throwIfCancelled(signal);
    if (asked === 0) throw new UserError('ask: no question was given. Give one: rag-ft ask "…"');
    return { outputs: [], figures: { questions: asked } };
  } finally {
    await system.close();
  }
}
