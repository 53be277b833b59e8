import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completionKey, openCompletionStore } from "./completion-store.js";
import type { LanguageModel } from "./language-model.js";
import { withStore } from "./stored-model.js";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "store-"));
  path = join(folder, "deep", "completions.jsonl");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const completion = (text: string) => ({ text, finish_reason: "stop" });

describe("openCompletionStore", () => {
  it("keeps completions over runs, whatever characters they hold", async () => {
    const store = await openCompletionStore(path);
    const odd = "line\nbreak \u2028 separator \u{1F600}";
    await Promise.all([store.put("a", completion(odd)), store.put("b", completion("two"))]);
    await store.close();
    const again = await openCompletionStore(path);
    expect([again.size, again.get("a"), again.get("b"), again.get("c")]).toEqual([
      2,
      completion(odd),
      completion("two"),
      undefined,
    ]);
    await again.close();
  });

  it("forgets the half line of a killed run and writes on cleanly", async () => {
    const store = await openCompletionStore(path);
    await store.put("a", completion("one"));
    await store.close();
    await appendFile(path, '{"key":"b","text":"tw');
    const again = await openCompletionStore(path);
    expect(again.size).toBe(1);
    await again.put("c", completion("three"));
    await again.close();
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).key)).toEqual(["a", "c"]);
  });

  it("names the line that is broken", async () => {
    const store = await openCompletionStore(path);
    await store.put("a", completion("one"));
    await store.close();
    await writeFile(path, `${await readFile(path, "utf8")}nonsense\n`);
    await expect(openCompletionStore(path)).rejects.toThrow(/completions\.jsonl:2: not JSON/);
  });
});

describe("withStore", () => {
  const options = { temperature: 0.7, max_new_tokens: 9, timeout_ms: 1000 };
  const messages = [{ role: "user" as const, content: "hello" }];

  it("asks once for each request and occurrence", async () => {
    let asked = 0;
    const model: LanguageModel = {
      name: "m",
      provider: "openai",
      complete: async () => completion(`reply ${asked++}`),
      close: async () => {},
    };
    const store = await openCompletionStore(path);
    const stored = withStore(model, store);
    const texts: string[] = [];
    for (const occurrence of [0, 1, 0, 1]) texts.push((await stored.complete(messages, options, occurrence)).text);
    expect(texts).toEqual(["reply 0", "reply 1", "reply 0", "reply 1"]);
    expect(stored.tally.counts).toMatchObject({ requests_sent: 2, requests_from_store: 2 });
    await store.close();
  });

  it("tells requests apart by all that shapes the reply, and by nothing else", () => {
    const base = completionKey("m", messages, options);
    expect(completionKey("m", messages, { ...options, timeout_ms: 5 } as typeof options)).toBe(base);
    const others = [
      completionKey("n", messages, options),
      completionKey("m", [{ role: "system", content: "hello" }], options),
      completionKey("m", messages, { ...options, temperature: 0 }),
      completionKey("m", messages, { ...options, max_new_tokens: 8 }),
      completionKey("m", messages, { ...options, stop: ["x"] }),
      completionKey("m", messages, { ...options, seed: 1 }),
      completionKey("m", messages, { ...options, thinking: true }),
      completionKey("m", messages, options, 1),
    ];
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
  });
});
