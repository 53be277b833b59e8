import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { readAskedQuestions, readDocuments, readQa, readQuestions } from "./dataset.js";
import { createDocument } from "./document.js";
import { DataError, UserError } from "./errors.js";
import { appendJsonl, readJsonl, toJsonl, writeJsonl } from "./jsonl.js";
import { silentReporter } from "./progress.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-jsonl-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function file(text: string): Promise<string> {
  const path = join(folder, "rows.jsonl");
  await writeFile(path, text);
  return path;
}

const schema = z.object({ name: z.string() });
const what = "names (name)";
const passage = createDocument("text", { source: "u" });

describe("readJsonl", () => {
  it("passes over blank lines, a byte order mark and CRLF", async () => {
    const path = await file('\uFEFF{"name":"a"}\r\n\r\n{"name":"b\u2028c"}\n');
    expect(await readJsonl(path, schema, { what })).toEqual([{ name: "a" }, { name: "b\u2028c" }]);
  });

  it("names file and line of a line that is not JSON, counting blank ones", async () => {
    const path = await file('{"name":"a"}\n\n{"name":\n');
    const reading = readJsonl(path, schema, { what });
    await expect(reading).rejects.toBeInstanceOf(DataError);
    await expect(reading).rejects.toThrow(`${path}:3: not valid JSON (found: {"name":)`);
  });

  it("names the field that is missing, and gives the hint", async () => {
    const path = await file('{"name":"a"}\n{"nom":"b"}\n');
    const reading = readJsonl(path, schema, { what, explain: () => "Is this French?" });
    await expect(reading).rejects.toThrow(/:2: not names \(name\): name: .*\. Is this French\?/);
  });

  it("refuses an empty file unless it may be empty", async () => {
    const path = await file("\n");
    await expect(readJsonl(path, schema, { what })).rejects.toThrow(/is empty/);
    expect(await readJsonl(path, schema, { what, allowEmpty: true })).toEqual([]);
  });

  it("tells a missing file and a folder from bad data", async () => {
    await expect(readJsonl(join(folder, "none"), schema, { what })).rejects.toBeInstanceOf(UserError);
    await expect(readJsonl(folder, schema, { what })).rejects.toThrow(/found a folder/);
  });
});

describe("writing", () => {
  it("reads back what it wrote and what it added", async () => {
    const path = join(folder, "deep", "out.jsonl");
    await writeJsonl(path, [{ name: "a\nb" }]);
    await appendJsonl(path, { name: "ü" });
    expect(await readJsonl(path, schema, { what })).toEqual([{ name: "a\nb" }, { name: "ü" }]);
    expect(await readFile(path, "utf8")).toBe(toJsonl([{ name: "a\nb" }, { name: "ü" }]));
  });
});

describe("files of the flow", () => {
  const questions = { gold_docs: [passage], hard_neg_docs: [], chat_history: [], questions: ["q?"] };
  const answers = { gold_docs: [passage], hard_neg_docs: [], chat_history: [], question: "q?", gold_answer: "a" };

  it("reads each kind, keeping unknown keys", async () => {
    expect(await readQuestions(await file(toJsonl([{ ...questions, extra: 1 }])))).toEqual([
      { ...questions, extra: 1 },
    ]);
    expect(await readQa(await file(toJsonl([answers])), silentReporter)).toEqual([{ ...answers, line: 1 }]);
  });

  it("passes over gold answers of white space, with a warning; where all are, or no row has a question, it is an error", async () => {
    const said: string[] = [];
    const path = await file(toJsonl([answers, { ...answers, gold_answer: " \n" }]));
    expect((await readQa(path, { warn: (line) => said.push(line) })).map(({ line }) => line)).toEqual([1]);
    expect(said).toEqual([`${path}: 1 of 2 rows have a gold answer of white space alone and are left out (line 2)`]);
    const blank = await file(toJsonl([{ ...answers, gold_answer: " " }]));
    await expect(readQa(blank, silentReporter)).rejects.toThrow(/every gold answer is only white space/);
    const asked = await file(toJsonl([{ ...questions, questions: [] }, questions]));
    expect(await readAskedQuestions(asked)).toHaveLength(2);
    const none = await file(toJsonl([{ ...questions, questions: [" "] }]));
    await expect(readAskedQuestions(none)).rejects.toThrow(/none of its 1 rows has a question/);
  });

  it("passes over answers without a question, with a warning that counts them, and still refuses malformed ones", async () => {
    const rows = [answers, { ...answers, question: " " }, { ...answers, question: "r?" }, { ...answers, question: "" }];
    const said: string[] = [];
    const path = await file(`\n${toJsonl(rows)}`);
    const read = await readQa(path, { warn: (line) => said.push(line) });
    expect(read.map(({ question, line }) => [question, line])).toEqual([
      ["q?", 2],
      ["r?", 4],
    ]);
    expect(said).toEqual([`${path}: 2 of 4 rows have an empty question and are left out (lines 3, 5)`]);
    const { question: _, ...without } = answers;
    await expect(readQa(await file(toJsonl([answers, without])), silentReporter)).rejects.toThrow(/:2: .*question: /);
    await expect(readQa(await file(toJsonl([{ ...answers, gold_answer: "" }])), silentReporter)).rejects.toThrow(
      /gold_answer: /,
    );
    await expect(readQa(await file(toJsonl(rows.slice(1, 2))), silentReporter)).rejects.toThrow(
      /no row has a question/,
    );
  });

  it("derives fmt_content that is not there and keeps one that is", async () => {
    const path = await file(
      toJsonl([
        { page_content: "x", metadata: { source: "u" } },
        { ...passage, fmt_content: "own" },
      ]),
    );
    expect((await readDocuments(path)).map((document) => document.fmt_content)).toEqual([
      "Source: u\nContent:\nx",
      "own",
    ]);
  });

  it("says what the file seems to be when it is another stage's", async () => {
    await expect(readQa(await file(toJsonl([questions])), silentReporter)).rejects.toThrow(
      /run gen-answers on it first/,
    );
    await expect(readQuestions(await file(toJsonl([answers])))).rejects.toThrow(/looks like a file of answers/);
    await expect(readQuestions(await file(toJsonl([passage])))).rejects.toThrow(/looks like a document database/);
    await expect(readDocuments(await file('{"text":"t","source":"u"}'))).rejects.toThrow(/run prepare-docs/);
  });
});
