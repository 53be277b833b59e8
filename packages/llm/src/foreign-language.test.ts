import { createDocument } from "@rag-ft/core";
import { expect, it } from "vitest";
import { openForeignLanguage } from "./foreign-language.js";
import { answerabilityMessages, answerMessages, questionMessages } from "./prompts.js";
import { readDomainConfig } from "./read-domain-config.js";

const GERMAN = "Der Zwischenspeicher wird geleert, sobald die Anwendung neu gestartet wird, und bleibt danach leer.";

it("is told from each passage, or by the domain's language", async () => {
  const told = await openForeignLanguage({});
  expect(told("The cache is emptied as soon as the application is started again, and stays empty.")).toBeUndefined();
  // Nothing but code: prompts stay what they were.
  expect(told("```\nnpm install\n```")).toBeUndefined();
  expect(told(GERMAN)).toBe("the language of the passage");
  expect(told("Кэш очищается при перезапуске.")).toBe("the language of the passage");
  for (const [language, name] of [
    ["de", "German"],
    ["pt-BR", "Brazilian Portuguese"],
    ["Klingon", "Klingon"],
    ["en", undefined],
    ["en-GB", undefined],
    ["English", undefined],
  ] as const)
    expect((await openForeignLanguage({ language }))(GERMAN), language).toBe(name);
});

it("prompts name it where there is one, and are the same as ever where there is none", async () => {
  const domain = await readDomainConfig();
  const passage = createDocument(GERMAN, { source: "s" });
  const systems = (language?: string): (string | undefined)[] => [
    questionMessages(domain, passage, language)[0]?.content,
    answerMessages(domain, [passage], "Wann?", { language })[0]?.content,
    answerabilityMessages(domain, passage, "Wann?", language)[0]?.content,
  ];
  const prompts = [domain.question_prompt, domain.answer_prompt, domain.answerability_prompt];
  expect(systems()).toEqual(prompts.map(({ instruction }) => instruction));
  const [questions, answer, verdict] = systems("German");
  expect(questions).toMatch(
    / The questions to this passage are to be in German; only the labels 'Question 1:' and 'Question 2:' stay English\.$/,
  );
  expect(answer).toMatch(
    / The answer to this question is to be in German; only the reply 'Not in the passage\.' stays as it is\.$/,
  );
  expect(verdict).toMatch(/ This passage is not in English; the verdict stays an English word\.$/);
  const { not_in_passage: _, ...answerPrompt } = domain.answer_prompt;
  expect(
    answerMessages({ ...domain, answer_prompt: answerPrompt }, [passage], "Wann?", { language: "German" })[0]?.content,
  ).toMatch(/in German\.$/);
});
