import { describe, expect, it } from "vitest";
import { parseQuestions } from "./parse-questions.js";

describe("parseQuestions", () => {
  it.each([
    ["What is a job?\nQuestion 2: How is it started?", ["What is a job?", "How is it started?"]],
    ["Question 1: What is a job?\n\nQuestion 2: How is it started?\n", ["What is a job?", "How is it started?"]],
    ["**Question 1:** What is a job?\n**Question 2:** How?", ["What is a job?", "How?"]],
    ["1. What is a job?\n2. How is it started?", ["What is a job?", "How is it started?"]],
    ["Questions:\nQuestion 1: What is a job?", ["What is a job?"]],
    ["Question 1: What is a job?\nQuestion 2: what is a job?", ["What is a job?"]],
    ["Question 1: Explain jobs.\nQuestion 2: How is it started?", ["How is it started?"]],
    ['"What is a job?"', ["What is a job?"]],
    ["What is a job?\nAnd why do I ask?", ["What is a job?"]],
    ["Q1: A one?\nQ2: A two?\nQ3: A three?", ["A one?", "A two?"]],
    ["Question: 1. How is it done?\nQuestion: Who does it?", ["How is it done?", "Who does it?"]],
    // Forms of today's models; each holds the same two questions.
    ...(
      [
        "Question 1: A\nQuestion 2: B",
        "**Question 1**: A\n\n**Question 2**: B",
        "**Question 1:** A\n\n**Question 2:** B",
        "Sure! Here are two questions based on the passage:\n\n1. A\n2. B",
        "Here are two questions:\n\nA\nB",
        "A\nB",
        "Here are two questions:\n\n- A\n- B",
        "* A\n* B\n\nWould you like me to write more questions?",
        "### Question 1\nA\n\n### Question 2\nB",
        "**Question 1**\n\nA\n\n**Question 2**\n\nB",
        "Q: A\nA: In the file.\nQ: B\nA: Always?",
        "Q1: A\nQ2: B",
        "(1) A\n(2) B",
        "1️⃣ A\n2️⃣ B",
        "Q1: A Q2: B",
        "1. A 2. B",
        "A B",
        "[Question 1] A\n[Question 2] B",
        "Question #1: A\nQuestion #2: B",
        '["A", "B"]',
        '```json\n[\n  "A",\n  "B"\n]\n```',
        'Here is the JSON you asked for:\n```json\n{"questions": ["A", "B"]}\n```',
        '{"question_1": "A", "question_2": "B"}',
        '```json\n{"questions": ["A", "B"]}\n```\nI hope this helps!',
        '```\n{"questions": [{"question": "A", "answer": "No?"}, {"question": "B"}]}\n```',
        '[{"id": 1, "question": "A"}, {"id": 2, "question": "B"}]',
        '{"questions": ["A", "B", "Cut he',
        '{"questions": ["Question 1: A", "2. B"]}',
        '1. "A"\n2. "B"',
        "1. **A**\n2. **B**",
        "<question>A</question>\n<question>B</question>",
        "<q1>A</q1><q2>B</q2>",
        "```text\nA\nB\n```",
        "Sure, here are two questions: 1. A 2. B",
        "First question: A\nSecond question: B",
        "Q. A\nQ. B",
        "Here is one: A\nB",
        "| # | Question |\n|---|---|\n| 1 | A |\n| 2 | B |",
        'Sure: {"questions": ["A", "B",]} Hope it helps.',
        '{"question": "A"}\n{"question": "B"}',
        "['A', 'B']",
        '{"first": "A", "second": "B"}',
        "- question: A\n- question: B",
        "1. **Setup:** A\n2. **Stop:** B",
        "1. **Setup**:\n   A\n2. **Stop**:\n   B",
        "a) A\nb) B",
        "i. A\nii. B",
        "#1 A\n#2 B",
        "Q-1: A\nQ-2: B",
        "✅ A\n→ B",
        "<ol><li>A</li><li>B</li></ol>",
        "Question 1: A<br>Question 2: B",
        "Question 1: A\\nQuestion 2: B",
        "Question 1 (easy): A\nQuestion 2 - hard: B",
        "Question 1: A [1]\nQuestion 2: B (factual)",
        "1. A (Answer: in the file)\n2. B ❓",
        "Question 1: A; Question 2: B",
        "A | B",
        "Kérdés 1: A\nKérdés 2: B",
        "**Jautājums 1:** A\n**Jautājums 2:** B",
        "Klausimas 1: A Klausimas 2: B",
        "A\nKlausimas 2: B",
      ] as const
    ).map((form): [string, string[]] => [
      form
        .replace(/\bA(?=$|["'*<;\\\s])(?!nswer)/gm, "How is it set up?")
        .replace(/\bB(?=$|["'*<;\s])/gm, "When does it stop?"),
      ["How is it set up?", "When does it stop?"],
    ]),
    ["Frage 1: Wie wird es gestartet?\nFrage 2: Wann endet es?", ["Wie wird es gestartet?", "Wann endet es?"]],
    ["1. ¿Cómo se inicia?\n2. ¿Cuándo termina?", ["¿Cómo se inicia?", "¿Cuándo termina?"]],
    ["質問1：どうやって始めますか？\n質問2：いつ終わりますか。", ["どうやって始めますか？", "いつ終わりますか。"]],
    ["问题 1：如何启动？\n问题 2：何时结束？", ["如何启动？", "何时结束？"]],
    ["سؤال ١: كيف يبدأ؟\nسؤال ٢: متى ينتهي؟", ["كيف يبدأ؟", "متى ينتهي؟"]],
    ["1. ระบบเริ่มทำงานอย่างไร\n2. ระบบหยุดเมื่อใด", ["ระบบเริ่มทำงานอย่างไร", "ระบบหยุดเมื่อใด"]],
    ["Πώς ξεκινά\u037E", ["Πώς ξεκινά\u037E"]],
    ["Question 1: What does `a ? b : c` give?", ["What does `a ? b : c` give?"]],
    ["1. What does `key: **x**` mean?", ["What does `key: **x**` mean?"]],
    ["What is the <br> tag for?", ["What is the <br> tag for?"]],
    ["What does HTTP 2: a draft change?", ["What does HTTP 2: a draft change?"]],
    ['Which of `["a", "b"]` is taken?', ['Which of `["a", "b"]` is taken?']],
    ["The passage lists no such thing. Do you want other questions?", []],
    ["I cannot help with that.", []],
    ["Could you please provide the passage?", []],
    ["I'm sorry, could you share the text?", []],
    ["申し訳ありませんが、本文を提供していただけますか？", []],
    ["Question 1: [question]?\nQuestion 2: <question>?", []],
    ["Question 1: ?\nQuestion 2: ?", []],
    ["", []],
  ])("%j", (reply, questions) => {
    expect(parseQuestions(reply)).toEqual(questions);
  });

  it.each([
    ["Ερώτηση", "Πώς ρυθμίζεται;", "Πότε σταματά;"],
    ["Հարց", "Ինչպե՞ս է կարգավորվում։", "Ե՞րբ է կանգ առնում։"],
    ["السؤال", "كيف يتم إعداده؟", "متى يتوقف؟"],
    ["שאלה", "איך מגדירים את זה?", "מתי זה נעצר?"],
    ["კითხვა", "როგორ ყენდება?", "როდის ჩერდება?"],
    ["ጥያቄ", "እንዴት ነው የሚዘጋጀው፧", "መቼ ይቆማል፧"],
    ["မေးခွန်း", "ဒါကို ဘယ်လို ထည့်သွင်းသလဲ။", "ဘယ်အချိန် ရပ်သလဲ။"],
    ["សំណួរ", "តើដំឡើងវាដូចម្តេច?", "តើវាឈប់នៅពេលណា?"],
    ["คำถามที่", "ติดตั้งอย่างไร", "หยุดเมื่อไร"],
    ["প্রশ্ন", "এটি কীভাবে সেট করা হয়?", "এটি কখন থামে?"],
    ["質問", "どう設定しますか？", "いつ停止しますか。"],
    ["질문", "어떻게 설정합니까?", "언제 멈춥니까?"],
    ["问题", "如何设置它？", "它什么时候停止？"],
  ])("reads questions of every script, labelled %s or not", (name, a, b) => {
    const forms = [
      `${name} 1: ${a}\n${name} 2: ${b}`,
      `**${name} 1:** ${a}\n**${name} 2:** ${b}`,
      `${name}1：${a}\n${name}2：${b}`,
      `${name} 1: ${a} ${name} 2: ${b}`,
      `1. ${a} 2. ${b}`,
      `- ${a}\n- ${b}`,
      `${a}\n${b}`,
      JSON.stringify({ questions: [a, b] }),
      // Thai parts phrases by spaces, too: there two questions in one line cannot be told from one.
      ...(name === "คำถามที่" ? [] : [`${a} ${b}`]),
    ];
    for (const form of forms) expect(parseQuestions(form), form).toEqual([a, b]);
  });

  const two = ["How is a gate opened?", "When does it close?"];
  it.each([
    ["JSON of the schema", JSON.stringify({ questions: two })],
    ["JSON in a fence", `\`\`\`json\n${JSON.stringify({ questions: two }, null, 2)}\n\`\`\``],
    ["labels inside", JSON.stringify({ questions: two.map((text, i) => `Question ${i + 1}: ${text}`) })],
    ["lines of text", `Question 1: ${two[0]}\nQuestion 2: ${two[1]}`],
  ])("reads %s", (_, reply) => {
    expect(parseQuestions(reply)).toEqual(two);
  });

  it("keeps at most two, nothing twice, nothing that is no question", () => {
    expect(parseQuestions(JSON.stringify({ questions: [two[0], two[0], "A statement.", 7, two[1], "More?"] }))).toEqual(
      two,
    );
    expect(parseQuestions('{"questions": ["How is a ga')).toEqual([]);
    expect(parseQuestions(JSON.stringify({ other: 1 }))).toEqual([]);
  });
});
