import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadTokenizer } from "../tokenizer/load-tokenizer.js";
import { type ChatTurnText, loadChatFormat } from "./chat-format.js";

interface Case {
  messages: ChatTurnText[];
  answer: string;
  thinking: boolean;
  /** Hashes of Python's ids; of the whole up to the token that ends the answer. */
  prompt: string;
  whole: string;
  /** The prompt's ids, of some. */
  ids?: number[];
  /** Whether a text holds a control token's string. */
  control?: boolean;
}

interface Family {
  tokenizer: string;
  added: object[];
  config: object;
  cases: Case[];
}

/** Made by scripts/make-chat-references.py. */
const families: Record<string, Family> = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures", "references.json"), "utf8"),
);
const folder = mkdtempSync(join(tmpdir(), "chat-references-"));
afterAll(() => rmSync(folder, { recursive: true }));

const digest = (ids: readonly number[]): string => createHash("sha256").update(ids.join()).digest("hex").slice(0, 16);

describe.each(Object.entries(families))("%s", (_, { tokenizer: kind, added, config, cases }) => {
  const open = async () => {
    const path = join(import.meta.dirname, "..", "tokenizer", "fixtures", kind, "tokenizer.json");
    const description = JSON.parse(readFileSync(path, "utf8"));
    description.added_tokens.push(...added);
    writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(description));
    writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(config));
    const tokenizer = await loadTokenizer(folder);
    const chat = await loadChatFormat(folder, tokenizer);
    if (!chat) throw new Error("no template");
    return { tokenizer, chat };
  };

  it("the dialogues are worth comparing", () => {
    expect(cases.length).toBeGreaterThan(30);
    expect(cases.filter(({ control }) => control).length).toBeGreaterThan(4);
    expect(new Set(cases.map(({ prompt }) => prompt)).size).toBe(cases.length);
  });

  it("prompts and whole dialogues have Python's ids, texts with control tokens too", async () => {
    const { tokenizer, chat } = await open();
    const encode = (text: string): number[] => tokenizer.encode(text, { special: false });
    const different: string[] = [];
    for (const { messages, answer, thinking, ...python } of cases) {
      const prompt = encode(chat.prompt(messages, { thinking }));
      if (python.ids) expect(prompt).toEqual(python.ids);
      const texts = chat.example(messages, answer, { thinking });
      const whole = encode(texts.prompt + texts.answer);
      if (digest(prompt) !== python.prompt) different.push(`prompt ${JSON.stringify(messages)}`);
      if (digest(whole) !== python.whole) different.push(`whole ${JSON.stringify([...messages, answer])}`);
    }
    expect(different).toEqual([]);
  });

  it("what is learned is the answer with the token that ends the turn", async () => {
    const { tokenizer, chat } = await open();
    const messages: ChatTurnText[] = [{ role: "user", content: "Hi" }];
    const { prompt, answer } = chat.example(messages, "Hello, world!");
    expect(prompt).toBe(chat.prompt(messages));
    const ids = tokenizer.encode(answer, { special: false });
    expect(chat.endIds).toEqual(ids.slice(-1));
    expect(tokenizer.decode(ids, { skipSpecial: true }).trim()).toBe("Hello, world!");
    expect(tokenizer.controlTokens.map((token) => tokenizer.tokenId(token))).toContain(ids.at(-1));
  });
});
