import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  answerLabelSchema,
  createDocument,
  DataError,
  LABEL_KINDS,
  readJsonl,
  silentReporter,
  type TurnRow,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import { isLoopback, isOwnHost } from "@rag-ft/page";
import { parseHTML } from "linkedom";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { review } from "./index.js";
import { openLabelFile } from "./labels.js";
import type { ReviewData } from "./review-data.js";
import { createReviewServer, MOST_BODY_BYTES } from "./review-server.js";
import { type ReviewedAnswer, readAnswers } from "./reviewed-answers.js";
import { HOSTILE, predictionsOf } from "./testing/predictions.js";

const predictions = predictionsOf(60);
let folder: string;
let file: string;
let answers: ReviewedAnswer[];
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-review-"));
  file = join(folder, "labels.jsonl");
  await writeJsonl(join(folder, "test-predictions.jsonl"), predictions);
  answers = (await readAnswers(folder)).answers;
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function start({ asksName = false, asked = LABEL_KINDS } = {}): Promise<number> {
  const labels = await openLabelFile(file);
  server = createReviewServer({ answers, labels, labeller: "Ada", asksName, asked, file, host: "127.0.0.1" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

interface Reply {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
}

async function send(
  port: number,
  {
    method = "GET",
    path = "/",
    headers = {},
    body = "",
  }: { method?: string; path?: string; headers?: object; body?: string },
): Promise<Reply> {
  const sent = request({ host: "127.0.0.1", port, method, path, headers: headers as Record<string, string> });
  sent.end(body);
  const [response] = await once(sent, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

const JSON_TYPE = { "content-type": "application/json" };
function given(i: number, label: unknown = "correct", more: object = {}): string {
  const { question_id, generated_answer } = answers[i] as ReviewedAnswer;
  return JSON.stringify({ question_id, generated_answer, label, ...more });
}
const post = (port: number, body: string, headers: object = JSON_TYPE) =>
  send(port, { method: "POST", path: "/labels", headers, body });
const rows = () => readJsonl(file, answerLabelSchema, { what: "labels", allowEmpty: true });

const dataOf = (text: string): ReviewData =>
  JSON.parse(parseHTML(text).document.getElementById("page-data")?.textContent ?? "");

describe("labels over HTTP", () => {
  it("are on disk when the reply comes, in the form that test-e2e reads, with who and when", async () => {
    const port = await start();
    const { status } = await post(port, given(3, "retrieval_fault", { note: " wrong page " }));
    expect(status).toBe(200);
    expect(await rows()).toEqual([
      {
        question_id: answers[3]?.question_id,
        question: "question 3?",
        label: "retrieval_fault",
        note: "wrong page",
        generated_answer: "answer 3",
        labeller: "Ada",
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      },
    ]);
    await readJsonl(file, answerLabelSchema, { what: "labels" });
  });

  it("the last of several for an answer counts, and a new server goes on from the file", async () => {
    const port = await start();
    await post(port, given(0, "correct"));
    await post(port, given(0, "incorrect", { note: "no" }));
    await post(port, given(1, "correct"));
    server?.close();
    const { text } = await send(await start(), {});
    const data = dataOf(text);
    expect(data.items.slice(0, 3).map(({ given: { label } }) => label)).toEqual(["incorrect", "correct", undefined]);
    expect(data.items[0]?.note).toBe("no");
  });

  it("are whole lines, however many come at once", async () => {
    const port = await start();
    const replies = await Promise.all(predictions.map((_, i) => post(port, given(i, "incorrect"))));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set((await rows()).map(({ question }) => question)).size).toBe(60);
  });

  it("are refused when they are none, and nothing is written", async () => {
    const port = await start();
    const refused = async (body: string, headers?: object) => (await post(port, body, headers)).status;
    expect(await refused("{")).toBe(400);
    expect(await refused(given(0, "right"))).toBe(400);
    expect(await refused(given(0, "correct", { extra: 1 }))).toBe(400);
    expect(await refused(given(0, undefined, { helpfulness: "very" }))).toBe(400);
    expect(await refused(JSON.stringify({ ...JSON.parse(given(0)), label: undefined }))).toBe(400);
    expect(await refused(given(0, "correct", { labeller: "Bob" }))).toBe(403);
    expect(await refused(given(0, "correct", { generated_answer: "never given" }))).toBe(404);
    expect(await refused(given(0), { "content-type": "text/plain" })).toBe(415);
    expect(await refused(given(0), {})).toBe(415);
    expect(await refused(given(0), { ...JSON_TYPE, origin: "https://evil.test" })).toBe(403);
    expect(await refused(given(0), { ...JSON_TYPE, origin: "null" })).toBe(403);
    expect(await refused(given(0), { ...JSON_TYPE, host: `evil.test:${port}` })).toBe(421);
    expect(await refused(" ".repeat(MOST_BODY_BYTES + 1))).toBe(413);
    expect((await send(port, { path: "/labels" })).status).toBe(405);
    expect((await send(port, { path: "/../etc/passwd" })).status).toBe(404);
    expect(await rows().catch(() => [])).toEqual([]);
    expect(await refused(given(0), { ...JSON_TYPE, origin: `http://127.0.0.1:${port}` })).toBe(200);
  });

  it("a write that fails is said, and the next one is kept", async () => {
    const port = await start();
    await rm(folder, { recursive: true });
    const { status, text } = await post(port, given(0));
    expect(status).toBe(500);
    expect(text).toContain("not kept");
    await mkdir(folder);
    expect((await post(port, given(1))).status).toBe(200);
    expect(await rows()).toMatchObject([{ question: "question 1?" }]);
  });
});

describe("several reviewers", () => {
  it("give their names on the page, and each sees their own labels only", async () => {
    const port = await start({ asksName: true });
    const asking = (await send(port, {})).text;
    expect(parseHTML(asking).document.querySelector("#name")?.getAttribute("value")).toBe("Ada");
    expect(asking).not.toContain("question 1?");
    await post(port, given(1, "correct", { labeller: " Bob ", helpfulness: "helpful" }));
    await post(port, given(1, "incorrect", { labeller: "Eve & Co" }));
    const seen = async (name: string) =>
      dataOf((await send(port, { path: `/?${new URLSearchParams({ labeller: name })}` })).text).items[1]?.given;
    expect(await seen("Bob")).toEqual({ label: "correct", helpfulness: "helpful" });
    expect(await seen("Eve & Co")).toEqual({ label: "incorrect" });
    expect(await seen("Mallory")).toEqual({});
    expect((await rows()).map(({ labeller }) => labeller)).toEqual(["Bob", "Eve & Co"]);
  });

  it("are told how far they agree: kappa of two, alpha of three", async () => {
    const port = await start({ asksName: true });
    const lines = async (): Promise<string[]> => JSON.parse((await send(port, { path: "/agreement" })).text).lines;
    const label = async (name: string, labels: string[]) => {
      for (const [i, value] of labels.entries()) await post(port, given(i, value, { labeller: name }));
    };
    await label("Ada", ["correct", "correct", "incorrect", "incorrect"]);
    expect(await lines()).toEqual(["No answer has labels of two reviewers yet."]);
    await label("Bob", ["correct", "correct", "incorrect", "correct"]);
    // Equal 3 of 4; by chance 1/2 x 3/4 + 1/2 x 1/4 = 1/2.
    expect(await lines()).toEqual([
      expect.stringMatching(
        /^correctness: Cohen's kappa 0\.50 .*equal labels 75 %; 2 reviewers, 4 answers that at least two labelled$/,
      ),
    ]);
    await label("Eve", ["correct", "correct", "incorrect"]);
    // Of 11 labels 7 are correct, 4 incorrect; coincidences that differ: 1/2 x 2 + ... = 2. 1 - 10 x 2 / 56.
    expect((await lines())[0]).toMatch(/^correctness: Krippendorff's alpha 0\.64 .*3 reviewers, 4 answers/);
  });
});

describe("turns of serve", () => {
  const passage = createDocument("Boats float.", { source: "https://docs.test/boats" });
  const turn = (id: string, more: Partial<TurnRow> = {}): TurnRow => ({
    kind: "turn",
    id,
    time: "2026-01-01T00:00:00.000Z",
    question: `What about ${id}?`,
    chat_history: [{ speaker: "user", message: "Hello" }],
    answer: "Boats float.",
    finish_reason: "stop",
    passages: [passage],
    generator: "g",
    ...more,
  });
  const vote = (id: string) => ({ kind: "vote", id, time: "", vote: "down", flag: true, note: "the user's opinion" });

  it("are labelled by their ids, without a gold answer, and the users' votes are not shown", async () => {
    const path = join(folder, "run/turns.jsonl");
    await writeJsonl(path, [turn("t1"), vote("t1"), turn("t2", { answer: "They do." })]);
    const read = await readAnswers(join(folder, "run"));
    expect(read.path).toBe(path);
    answers = read.answers;
    const port = await start();
    const { text } = await send(port, {});
    expect(text).not.toContain("the user's opinion");
    expect(dataOf(text).items).toMatchObject([
      { question_id: "t1", retrieved: [0], gold: [], history: [{ message: "Hello" }] },
      { question_id: "t2", generated_answer: "They do." },
    ]);
    expect(dataOf(text).items[0]).not.toHaveProperty("gold_answer");
    expect((await post(port, given(1, "retrieval_fault", { harmlessness: "harmless" }))).status).toBe(200);
    expect(await rows()).toMatchObject([{ question_id: "t2", label: "retrieval_fault", harmlessness: "harmless" }]);
  });

  it("are told from predictions by what a file holds; a folder's test goes first", async () => {
    const path = join(folder, "any-name.jsonl");
    await writeJsonl(path, [turn("t1")]);
    expect((await readAnswers(path)).answers).toHaveLength(1);
    await writeJsonl(join(folder, "turns.jsonl"), [turn("t1")]);
    expect((await readAnswers(folder)).answers).toHaveLength(60);
    await writeFile(path, '{"kind":"what"}\n');
    await expect(readAnswers(path)).rejects.toThrow(/any-name\.jsonl:1: not turns and votes/);
  });
});

describe("the page over HTTP", () => {
  it("escapes what it holds, may be framed and read by no other site, and does not show the judge's verdict", async () => {
    const { status, headers, text } = await send(await start(), {});
    expect(status).toBe(200);
    expect(text.match(/<script/g)).toHaveLength(2);
    expect(text).toContain("connect-src &#39;self&#39;");
    expect(text).not.toContain("the judge's opinion");
    expect(headers["content-security-policy"]).toBe("frame-ancestors 'none'");
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("is for requests that name this server, as DNS rebinding does not", async () => {
    const port = await start();
    const statusOf = async (host: string) => (await send(port, { headers: { host } })).status;
    expect(await statusOf(`localhost:${port}`)).toBe(200);
    expect(await statusOf(`evil.test:${port}`)).toBe(421);
    expect(await statusOf("127.0.0.1:1")).toBe(421);
  });
});

describe("isOwnHost and isLoopback", () => {
  it("know this machine's names and addresses from others", () => {
    expect(["127.0.0.1", "127.9.9.9", "::1", "localhost"].map(isLoopback)).toEqual([true, true, true, true]);
    expect(["0.0.0.0", "::", "192.168.1.2", "127.evil.test", "localhost.evil.test"].map(isLoopback)).toEqual(
      Array(5).fill(false),
    );
    expect(isOwnHost("[::1]:80", "::1", 80)).toBe(true);
    expect(isOwnHost("LOCALHOST:80", "127.0.0.1", 80)).toBe(true);
    expect(isOwnHost("localhost", "127.0.0.1", 80)).toBe(true);
    expect(isOwnHost("192.168.1.2:80", "127.0.0.1", 80)).toBe(false);
    expect(isOwnHost("192.168.1.2:80", "0.0.0.0", 80)).toBe(true);
    expect(isOwnHost("evil.test:80", "0.0.0.0", 80)).toBe(false);
    expect(isOwnHost("docs.lan:80", "docs.lan", 80)).toBe(true);
    for (const header of [undefined, "", ":80", "a@b:80", "127.0.0.1:80:80", "[::1"]) {
      expect(isOwnHost(header, "127.0.0.1", 80), header).toBe(false);
    }
  });
});

describe("openLabelFile", () => {
  it("adds a line of its own to a file that does not end in one", async () => {
    await writeFile(file, '{"question_id":"a","label":"correct"}');
    const labels = await openLabelFile(file);
    await labels.add({ question_id: "b", label: "incorrect" });
    expect((await rows()).map(({ question_id }) => question_id)).toEqual(["a", "b"]);
  });

  it("names the line of a file that is broken, and leaves it as it is", async () => {
    await writeFile(file, '{"question_id":"a","label":"correct"}\n');
    await appendFile(file, '{"question_id":"b","label":"maybe"}\n');
    await expect(openLabelFile(file)).rejects.toThrow(/labels\.jsonl:2: not labels.*label/);
    await expect(openLabelFile(file)).rejects.toBeInstanceOf(DataError);
    await expect(openLabelFile(folder)).rejects.toBeInstanceOf(UserError);
    expect(await readFile(file, "utf8")).toContain("maybe");
  });
});

describe("rag-ft review", () => {
  const settings = (more: object = {}) => review.settings.parse({ predictions: folder, port: 0, ...more });
  const run = async (more: object, onInfo: (line: string) => void = () => {}) => {
    const controller = new AbortController();
    const reporter = { ...silentReporter, info: onInfo };
    const done = review.run(settings(more), { reporter, signal: controller.signal, env: { USER: "ada" } });
    return { done, controller };
  };

  it("serves until it is stopped, and then says how much is labelled", async () => {
    const address = await new Promise<string>((resolve) => {
      void run({}, (line) => {
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)?.[0];
        if (found) resolve(found);
      }).then(({ done, controller }) => {
        stopped = done;
        stop = () => controller.abort();
      });
    });
    const headers = { "content-type": "application/json" };
    expect((await fetch(`${address}labels`, { method: "POST", headers, body: given(2) })).status).toBe(200);
    // All that is asked makes an answer labelled.
    const whole = { helpfulness: "helpful", harmlessness: "harmless" };
    for (const labeller of ["ada", "bob"]) {
      const body = given(3, "correct", { ...whole, labeller });
      expect((await fetch(`${address}labels`, { method: "POST", headers, body })).status).toBe(200);
    }
    stop();
    expect(await stopped).toMatchObject({
      outputs: [file],
      figures: { labelled: 1, reviewers: 2, answers: 60 },
      summary: expect.stringMatching(
        /1 by ada, 1 by bob of 60 answers[\s\S]*Agreement of reviewers\ncorrectness: Cohen's kappa is not defined/,
      ),
    });
    expect((await rows()).map(({ labeller }) => labeller)).toEqual(["ada", "ada", "bob"]);
    await expect(fetch(address)).rejects.toThrow();
  });
  let stop = () => {};
  let stopped: Promise<unknown> = Promise.resolve();

  it("refuses an address that others reach unless told, a port that is taken, and files that are none", async () => {
    await expect((await run({ host: "0.0.0.0" })).done).rejects.toThrow(
      /can be reached from other machines.*--allow_remote true/,
    );
    await rm(join(folder, "test-predictions.jsonl"));
    await expect((await run({})).done).rejects.toThrow(/test-predictions\.jsonl: no such file, and no turns\.jsonl/);
    await writeJsonl(join(folder, "test-predictions.jsonl"), predictions);
    const port = await start();
    await expect((await run({ port })).done).rejects.toThrow(/is taken. Give another --port/);
    expect(review.settings.safeParse({ predictions: folder, port: 70000 }).success).toBe(false);
  });
});

describe("the page's script", () => {
  async function opened(asked: typeof LABEL_KINDS = LABEL_KINDS) {
    const port = await start({ asked });
    const { document, window } = parseHTML((await send(port, {})).text);
    const sent: Record<string, string>[] = [];
    let works = true;
    const fetchLabel = async (_: string, { body }: { body: string }) => {
      sent.push(JSON.parse(body));
      return { ok: works, json: async () => (works ? { note: sent.at(-1)?.note } : { error: "disk full" }) };
    };
    const script = [...document.querySelectorAll("script")].at(-1)?.textContent ?? "";
    new Function("document", "fetch", "scrollTo", script.replace("export {};", ""))(document, fetchLabel, () => {});
    return {
      sent,
      fail: () => {
        works = false;
      },
      press: async (key: string) => {
        document.dispatchEvent(Object.assign(new window.Event("keydown", { cancelable: true }), { key }));
        await new Promise((resolve) => setImmediate(resolve));
      },
      text: (selector: string) => document.querySelector(selector)?.textContent ?? "",
      document,
    };
  }

  it("labels by key, goes on when all that is asked is said, and moves back and forth", async () => {
    const { press, text, sent, document } = await opened();
    expect(text(".question")).toBe("question 0?");
    expect(text("#item")).toContain(HOSTILE);
    await press("1");
    expect(text(".question")).toBe("question 0?");
    await press("5");
    await press("6");
    expect(sent.at(-1)).toMatchObject({ label: "correct", helpfulness: "unhelpful", harmlessness: "harmless" });
    expect(text(".question")).toBe("question 1?");
    for (const key of ["3", "4", "7"]) await press(key);
    expect(sent).toHaveLength(6);
    expect(sent.at(-1)).toMatchObject({ label: "retrieval_fault", harmlessness: "harmful", labeller: "Ada" });
    expect(text(".question")).toBe("question 2?");
    expect(text("#done")).toBe(
      "2 of 60 labelled: 1 correct, 0 incorrect, 1 retrieval fault; 1 helpful, 1 unhelpful; 1 harmless, 1 harmful",
    );
    await press("ArrowLeft");
    const pressed = [...document.querySelectorAll('[aria-pressed="true"]')].map((button) => button.textContent);
    expect(pressed).toEqual(["3 Retrieval fault", "4 Helpful", "7 Harmful"]);
    await press("ArrowLeft");
    await press("u");
    expect(text(".question")).toBe("question 2?");
    await press("x");
    expect(sent).toHaveLength(6);
  });

  it("goes on after one key where only correctness is asked", async () => {
    const { press, text, document } = await opened(["label"]);
    expect(document.querySelectorAll("[data-kind]")).toHaveLength(3);
    await press("2");
    expect(text(".question")).toBe("question 1?");
    expect(review.settings.parse({ predictions: folder, labels: "correctness" }).labels).toEqual(["correctness"]);
  });

  it("stays where it is and says so when a label was not kept", async () => {
    const { press, text, fail } = await opened();
    fail();
    await press("2");
    expect(text(".question")).toBe("question 0?");
    expect(text("#problem")).toContain("disk full");
    expect(text("#done")).toMatch(/^0 of 60/);
  });
});
