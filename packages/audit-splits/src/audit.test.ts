import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckFailedError, createDocument, type Document, silentReporter, UserError, writeJsonl } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { auditRows, auditSplits, auditSplitsSettings, type LeakKind } from "./index.js";

const OPTIONS = { passageOverlap: 0.8, questionOverlap: 0.8, chunkWords: 8 };
const WORDS = "proxy cache retry timeout header cookie stream buffer socket cluster worker signal".split(" ");

/** A text of its own for each seed: no run of three words is in two of them. */
const text = (seed: number, length = 40): string =>
  Array.from({ length }, (_, i) => `${WORDS[(seed * 7 + i * (seed + 1)) % WORDS.length]}${seed}`).join(" ");
const passage = (content: string, source: string): Document => createDocument(content, { source });
const row = (question: string, gold: Document) => ({ question, gold_docs: [gold] });

const clean = {
  train: [row("How is a proxy set?", passage(text(1), "a")), row("What does a cache keep?", passage(text(2), "b"))],
  eval: [row("When is a request made again?", passage(text(3), "c"))],
  test: [row("Where do cookies go?", passage(text(4), "d")), row("Which worker answers first?", passage(text(5), "a"))],
};

const planted: Record<LeakKind, ReturnType<typeof row>> = {
  same_passage: row("What else is told there?", passage(text(1), "a")),
  near_duplicate_passage: row("What else is told there?", passage(`Note. ${text(2)} More at the end.`, "elsewhere")),
  overlapping_chunks: row(
    "What else is told there?",
    passage(`${text(1).split(" ").slice(-10).join(" ")} ${text(9)}`, "a"),
  ),
  duplicate_question: row("what does a cache  keep", passage(text(8), "e")),
  paraphrased_question: row("What is it that the cache keeps?", passage(text(8), "e")),
};

const splitsWith = (...more: ReturnType<typeof row>[]) => [
  { split: "train", rows: clean.train },
  { split: "eval", rows: clean.eval },
  { split: "test", rows: [...clean.test, ...more] },
];

it("finds nothing where nothing is", async () => {
  expect(await auditRows(splitsWith(), OPTIONS)).toEqual([]);
});

it.each(Object.entries(planted))("finds a planted leak: %s", async (kind, leak) => {
  const found = await auditRows(splitsWith(leak), OPTIONS);
  expect(found.map((leak) => [leak.kind, leak.splits])).toEqual([[kind, ["train", "test"]]]);
});

/** Of each language: sentences of a passage, a question about it, the same in another order, and one about something else. */
const OTHER_LANGUAGES: Record<
  string,
  readonly [sentences: readonly string[], question: string, same: string, other: string]
> = {
  Russian: [
    [
      "Тайм-аут соединения задаётся параметром в секундах.",
      "Если сервер не отвечает, запрос повторяется три раза.",
      "Затем клиент получает ошибку.",
      "Журнал хранит время каждого запроса и ответ сервера.",
    ],
    "Как изменить тайм-аут соединения с базой данных?",
    "Тайм-аут соединения с базой данных: как изменить?",
    "Как изменить пароль соединения с базой данных?",
  ],
  Japanese: [
    [
      "接続のタイムアウトは秒単位で指定します。",
      "サーバーが応答しない場合、要求は三回まで繰り返されます。",
      "その後、クライアントはエラーを受け取ります。",
      "ログには各要求の時刻とサーバーの応答が残ります。",
    ],
    "データベース接続のタイムアウトを変更するには？",
    "タイムアウトをデータベース接続で変更するには",
    "データベース接続のパスワードを変更するには？",
  ],
  Chinese: [
    [
      "连接超时以秒为单位设置。",
      "如果服务器没有响应，请求最多重复三次。",
      "之后客户端会收到错误。",
      "日志保存每个请求的时间和服务器的响应。",
    ],
    "如何更改数据库连接的超时时间？",
    "数据库连接的超时时间如何更改？",
    "如何更改数据库连接的密码？",
  ],
  Thai: [
    [
      "เวลาหมดเขตของการเชื่อมต่อกำหนดเป็นวินาที",
      "หากเซิร์ฟเวอร์ไม่ตอบสนอง คำขอจะถูกส่งซ้ำสามครั้ง",
      "หลังจากนั้นไคลเอนต์จะได้รับข้อผิดพลาด",
      "บันทึกจะเก็บเวลาของคำขอแต่ละครั้งและคำตอบของเซิร์ฟเวอร์",
    ],
    "ฉันจะเปลี่ยนเวลาหมดเขตของการเชื่อมต่อฐานข้อมูลได้อย่างไร",
    "การเชื่อมต่อฐานข้อมูล: เปลี่ยนเวลาหมดเขตได้อย่างไร",
    "ฉันจะเปลี่ยนรหัสผ่านของการเชื่อมต่อฐานข้อมูลได้อย่างไร",
  ],
  Arabic: [
    [
      "يتم ضبط مهلة الاتصال بالثواني في ملف الإعدادات.",
      "إذا لم يستجب الخادم، يعاد الطلب ثلاث مرات.",
      "بعد ذلك يتلقى العميل رسالة خطأ.",
      "يحفظ السجل وقت كل طلب ورد الخادم عليه.",
    ],
    "كيف أغير مهلة الاتصال بقاعدة البيانات؟",
    "مهلة الاتصال بقاعدة البيانات: كيف أغير؟",
    "كيف أغير كلمة مرور الاتصال بقاعدة البيانات؟",
  ],
  Hindi: [
    [
      "कनेक्शन का टाइमआउट सेकंड में तय होता है।",
      "यदि सर्वर उत्तर नहीं देता, तो अनुरोध तीन बार दोहराया जाता है।",
      "उसके बाद क्लाइंट को त्रुटि मिलती है।",
      "लॉग हर अनुरोध का समय और सर्वर का उत्तर रखता है।",
    ],
    "डेटाबेस कनेक्शन का टाइमआउट कैसे बदलें?",
    "कैसे बदलें डेटाबेस कनेक्शन का टाइमआउट?",
    "डेटाबेस कनेक्शन का पासवर्ड कैसे बदलें?",
  ],
};

it.each(Object.entries(OTHER_LANGUAGES))(
  "finds leaks in %s, and none between other texts",
  async (_, [sentences, question, same, other]) => {
    const [first = "", second = "", third = "", fourth = ""] = sentences;
    const train = row(question, passage([first, second, third].join(" "), "a"));
    const elsewhere = row(other, passage(`${fourth} ${fourth.split("").reverse().join("")}`, "b"));
    const kinds = async (test: ReturnType<typeof row>) =>
      (
        await auditRows(
          [
            { split: "train", rows: [train] },
            { split: "test", rows: [test] },
          ],
          OPTIONS,
        )
      ).map(({ kind }) => kind);
    expect(await kinds(elsewhere)).toEqual([]);
    expect(await kinds(row(`${question} `.replace(/[?？؟]/u, " !"), elsewhere.gold_docs[0] as Document))).toEqual([
      "duplicate_question",
    ]);
    expect(await kinds(row(same, elsewhere.gold_docs[0] as Document))).toEqual(["paraphrased_question"]);
    expect(await kinds(row(other, passage(`${[first, second, third].join("\n")}\n!`, "c")))).toEqual([
      "near_duplicate_passage",
    ]);
    // The next chunk of the page begins with the last sentences of this one.
    expect(await kinds(row(other, passage([second, third, fourth, fourth, fourth].join(" "), "a")))).toEqual([
      "overlapping_chunks",
    ]);
  },
);

it("does not take two questions of one split for a leak", async () => {
  const rows = [...clean.train, ...clean.train, planted.same_passage];
  expect(
    await auditRows(
      [
        { split: "train", rows },
        { split: "test", rows: clean.test },
      ],
      OPTIONS,
    ),
  ).toEqual([]);
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "audit-splits-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(rows: readonly ReturnType<typeof row>[], more: Record<string, unknown> = {}) {
  const asFile = (list: readonly ReturnType<typeof row>[]) =>
    list.map(({ question, gold_docs }) => ({ gold_docs, hard_neg_docs: [], chat_history: [], questions: [question] }));
  await writeJsonl(join(folder, "train_w_q.jsonl"), asFile(clean.train));
  await writeJsonl(join(folder, "test_w_q.jsonl"), asFile(rows));
  const said: string[] = [];
  const context = {
    reporter: { ...silentReporter, info: (line: string) => void said.push(line) },
    signal: new AbortController().signal,
    env: {},
  };
  const result = await auditSplits
    .run(auditSplitsSettings.parse({ dataset: folder, ...more }), context)
    .catch((error) => error);
  return { result, said };
}

it("passes clean files, fails on leaks with its table, and passes those that are allowed", async () => {
  const passed = await run(clean.test);
  expect(passed.result.summary).toMatch(/same_passage +0/);
  const out = join(folder, "leaks.jsonl");
  const failed = await run([...clean.test, ...Object.values(planted)], { out });
  expect(failed.result).toBeInstanceOf(CheckFailedError);
  expect(failed.result.exitCode).toBe(4);
  expect(failed.result.message).toMatch(/5 leaks .*leaks\.jsonl/);
  expect(failed.said.join("\n")).toMatch(/paraphrased_question +1/);
  expect((await readFile(out, "utf8")).trim().split("\n")).toHaveLength(5);
  const allowed = await run([...clean.test, planted.same_passage], {
    fail_on: "duplicate_question,paraphrased_question",
  });
  expect(allowed.result.figures).toMatchObject({ same_passage: 1, duplicate_question: 0 });
});

it("says what is missing where there are not two splits", async () => {
  const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
  const result = auditSplits.run(auditSplitsSettings.parse({ dataset: folder }), context);
  await expect(result).rejects.toThrow(UserError);
  await expect(result).rejects.toThrow(/0 of the splits/);
});
