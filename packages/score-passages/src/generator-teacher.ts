import { DataError, type Document, hashText, type StageContext, UserError } from "@rag-ft/core";
import { answerTokens, type ExampleFormat, type TokensOf } from "@rag-ft/llm";
import { type AnswerExample, createAnswerScorer, hashModel, loadDecoder, openPrompt } from "@rag-ft/models";
import type { ScorePassagesSettings } from "./settings.js";
import type { OpenedTeacher, TeacherQuestion } from "./teacher.js";

/** Tokens of prompt and answer, where nothing says how many and the model takes so many; as train-generator has them. */
const DEFAULT_MAX_TOKENS = 2048;

/** @throws DataError when a question has no answer by which passages could be scored. */
export function requireAnswers(questions: readonly TeacherQuestion[], files: readonly string[]): void {
  const without = questions.filter(({ gold_answer }) => gold_answer === undefined);
  if (without[0] === undefined) return;
  throw new DataError(
    `${files.join(", ")}: ${without.length} of ${questions.length} questions have no gold answer, such as ${JSON.stringify(without[0].question)}: a generator scores a passage by how likely it makes the answer. Give files of gen-answers (*_w_qa.jsonl), or --reranker.`,
  );
}

/** The example with as much of the passage as fits. */
function fitPassage(passage: Document, tokensOf: TokensOf, maxTokens: number): AnswerExample | undefined {
  const cut = (length: number): AnswerExample =>
    tokensOf([{ ...passage, fmt_content: passage.fmt_content.slice(0, length) }]);
  const fits = ({ prompt, answer }: AnswerExample): boolean => prompt.length + answer.length <= maxTokens;
  const whole = cut(passage.fmt_content.length);
  if (fits(whole)) return whole;
  let best: AnswerExample | undefined;
  // The longest beginning, but for a token or two where cutting a word makes more of it.
  for (let low = 0, high = passage.fmt_content.length - 1; low <= high; ) {
    const middle = (low + high) >> 1;
    const example = cut(middle);
    if (fits(example)) {
      best = example;
      low = middle + 1;
    } else high = middle - 1;
  }
  return best;
}

/**
 * A decoder, as REPLUG's supervision has it (Shi et al. 2023): a passage is as good as it makes the gold answer likely. The score is the mean over the
 * answer's tokens, its end among them, of their log-probabilities, as in LocalRQA; the prompt is that of training and use.
 */
export async function openGeneratorTeacher(
  model: string,
  { device, threads, max_seq_length }: ScorePassagesSettings,
  { env, reporter, signal }: StageContext,
): Promise<OpenedTeacher> {
  const decoder = await loadDecoder(model, { env, reporter, signal });
  const { graph, tokenizer, folder, weights } = decoder;
  const asked = await openPrompt(folder, tokenizer, {}, reporter);
  const how: ExampleFormat = asked.chat ? { format: asked.prompt, chat: asked.chat } : { format: asked.prompt };
  const maxTokens = max_seq_length ?? Math.min(DEFAULT_MAX_TOKENS, graph.maxTokens);
  if (maxTokens > graph.maxTokens)
    throw new UserError(
      `${folder}: max_seq_length is ${maxTokens}, but the model takes at most ${graph.maxTokens} tokens. Give a smaller one, or leave it out.`,
    );
  const hash = hashText(JSON.stringify([await hashModel(folder, weights), asked.prompt, maxTokens]));
  const scorer = await createAnswerScorer(decoder, { device, threads });
  return {
    teacher: { kind: "generator", model, hash },
    reads: ({ question, chat_history, gold_answer }) => ({ question, chat_history, gold_answer }),
    async score({ question, chat_history, gold_docs, hard_neg_docs, gold_answer = "" }, passages, stop) {
      const row = { question, gold_answer, chat_history: [...(chat_history ?? [])], gold_docs, hard_neg_docs };
      const tokensOf = answerTokens(row, how, tokenizer);
      const examples = passages.map((passage) => {
        const example = fitPassage(passage, tokensOf, maxTokens);
        if (example === undefined)
          throw new UserError(
            `${JSON.stringify(question)}: prompt and answer alone are longer than ${maxTokens} tokens. Raise max_seq_length, or leave the question out.`,
          );
        return example;
      });
      return scorer.score(examples, { signal: stop });
    },
    close: scorer.close,
  };
}
