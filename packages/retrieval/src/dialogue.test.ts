import { createDocument, silentReporter } from "@rag-ft/core";
import { createWordEncoder } from "@rag-ft/test-utils";
import { expect, it } from "vitest";
import { bm25Retriever } from "./bm25-retriever.js";
import { evaluateRetriever } from "./evaluate-retrieval.js";
import { evaluateWeights } from "./hybrid-retriever.js";
import { openIndex } from "./open-index.js";

const documents = ["red apple", "blue sky", "pink rose"].map((text) => createDocument(text, { source: text }));
const [, sky] = documents;
const context = { reporter: silentReporter, signal: new AbortController().signal };
const alone = { question: "And that?", gold_docs: sky ? [sky] : [] };
const inDialogue = {
  ...alone,
  chat_history: [
    { speaker: "User", message: "Tell me of the sky." },
    { speaker: "Assistant", message: "red apple, pink rose" },
  ],
};

it("the dialogue before a question finds its passage, with BM25, vectors and both", async () => {
  const bm25 = bm25Retriever(documents);
  const encoder = createWordEncoder(["apple", "sky", "rose"]);
  const index = await openIndex(documents, encoder, context);
  const recall = async (question: typeof alone): Promise<unknown[]> => {
    const options = { questions: [question], ks: [1], ...context };
    const weights = await evaluateWeights({ index, encoder }, [0, 1], options);
    return [(await evaluateRetriever(bm25, options)).figures, ...weights.map(({ figures }) => figures)].map(
      (figures) => figures["document_recall/recall1"],
    );
  };
  expect(await recall(inDialogue)).toEqual([1, 1, 1]);
  // Nothing tells the passages apart: the first stands first, and BM25 finds none.
  expect(await recall(alone)).toEqual([0, 0, 0]);
});
