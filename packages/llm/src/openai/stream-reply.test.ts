import { CancelledError } from "@rag-ft/core";
import { type OpenAiServer, type ReplyFunction, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, describe, expect, it } from "vitest";
import { CompletionError } from "../completion-error.js";
import { openOpenAiModel } from "./open-openai-model.js";

const options = { temperature: 0, max_new_tokens: 16, timeout_ms: 2000 };
const messages = [{ role: "user" as const, content: "two words" }];
let server: OpenAiServer | undefined;
afterEach(() => server?.close());

async function ask(reply: ReplyFunction, more: object = {}) {
  server = await startOpenAiServer({ reply });
  const model = openOpenAiModel("gpt-test", { env: { OPENAI_BASE_URL: server.url } });
  const pieces: string[] = [];
  const result = await model
    .complete(messages, { ...options, onText: (piece) => pieces.push(piece), ...more })
    .catch((error: unknown) => error);
  return { result, pieces };
}

const event = (content: string, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason }] })}\n\n`;
const events = (body: string, more: object = {}) => ({
  body,
  headers: { "content-type": "text/event-stream" },
  ...more,
});

describe("a streamed reply", () => {
  it("is read where content comes in parts, and where the whole reply comes instead", async () => {
    const part = (item: object): string =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: [item] }, finish_reason: null }] })}\n\n`;
    const parts = await ask(() =>
      events(
        `${part({ type: "thinking", thinking: [] })}${part({ type: "text", text: "By " })}${part({ type: "text", text: "file." })}${event("", "stop")}data: [DONE]\n\n`,
      ),
    );
    expect(parts.pieces.join("")).toBe("By file.");
    expect(parts.result).toMatchObject({ text: "By file.", finish_reason: "stop", thought: true });
    await server?.close();
    const whole = {
      choices: [{ message: { content: "By file." } }],
      usage: { prompt_tokens: 2, completion_tokens: 3 },
    };
    const { pieces, result } = await ask(() => ({
      body: JSON.stringify(whole, null, 2),
      headers: { "content-type": "application/json" },
    }));
    expect(pieces).toEqual(["By file."]);
    expect(result).toEqual({
      text: "By file.",
      finish_reason: "stop",
      usage: { prompt_tokens: 2, completion_tokens: 3 },
    });
  });

  it("arrives in pieces that are the whole text, with how it ended and what it used", async () => {
    const { result, pieces } = await ask(() => "three small words");
    expect(pieces).toEqual(["three", " small", " words"]);
    expect(result).toEqual({
      text: "three small words",
      finish_reason: "stop",
      usage: { prompt_tokens: 2, completion_tokens: 3 },
    });
    expect(server?.requests[0]?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it("is asked for again before its first piece, and never after it", async () => {
    const soon = { "retry-after-ms": "5" };
    const again = await ask((_, index) =>
      index === 0 ? { status: 503, body: { error: { message: "busy" } }, headers: soon } : "fine",
    );
    expect(again.result).toMatchObject({ text: "fine" });
    expect(again.pieces).toEqual(["fine"]);
    await server?.close();
    const broken = await ask(() => events(event("half of") + event(" it")));
    expect(broken.pieces).toEqual(["half of", " it"]);
    expect(broken.result).toBeInstanceOf(CompletionError);
    expect(String(broken.result)).toMatch(/broke off/);
    expect(server?.requests).toHaveLength(1);
  });

  it("ends when nobody reads on, and when its time is over", async () => {
    const controller = new AbortController();
    const onText = (): void => controller.abort();
    const stopped = await ask(() => "one two three", { signal: controller.signal, onText });
    expect(stopped.result).toBeInstanceOf(CancelledError);
    await server?.close();
    const started = Date.now();
    const late = await ask(() => ({ body: "", fault: "hang" }), { timeout_ms: 100, signal: AbortSignal.timeout(400) });
    expect(late.result).toBeInstanceOf(Error);
    expect(Date.now() - started).toBeLessThan(1900);
  });
});
