import { createDocument, documentId } from "@rag-ft/core";
import { EXTRACTIVE } from "@rag-ft/llm";
import { expect, it } from "vitest";
import { canAskBy, impossibleKinds, planKinds, type RowToAsk } from "./plan-kinds.js";

const rows: RowToAsk[] = Array.from({ length: 60 }, (_, i) => ({
  gold_docs: [
    createDocument(
      `Part ${i} of page ${i % 6} tells about thing ${i}${i % 5 === 0 ? ", and its error messages" : ""}.`,
      {
        source: `page-${i % 6}`,
      },
    ),
  ],
  hard_neg_docs: [],
  chat_history: [],
}));
const count = (planned: readonly RowToAsk[], kind: string): number =>
  planned.filter(({ question_kind }) => question_kind === kind).length;

it("any stretch of the list has the domain's shares", () => {
  const planned = planKinds(rows, { full: 0.5, keywords: 0.3, how_to: 0.2 }, () => true);
  expect(planned).toHaveLength(60);
  for (const length of [10, 20, 60]) {
    const some = planned.slice(0, length);
    expect([count(some, "full"), count(some, "keywords"), count(some, "how_to")]).toEqual(
      [0.5, 0.3, 0.2].map((share) => Math.round(share * length)),
    );
  }
  expect(planKinds(rows, undefined, () => true)).toEqual(rows);
});

it("messages are asked of passages that speak of failures; others get what is furthest behind", () => {
  const planned = planKinds(rows, { full: 0.9, error_message: 0.1 }, canAskBy("gpt-x"));
  const messages = planned.filter(({ question_kind }) => question_kind === "error_message");
  expect(messages).toHaveLength(6);
  for (const { gold_docs } of messages) expect(gold_docs[0]?.page_content).toContain("error");
});

it("a question over two passages takes the nearest later one of its source, which no other row has; neither is a negative", () => {
  const [first, ...rest] = rows as [RowToAsk, ...RowToAsk[]];
  const near = rest.find(({ gold_docs: [gold] }) => gold?.metadata.source === "page-0") as RowToAsk;
  const withNegatives = [{ ...first, hard_neg_docs: [...near.gold_docs, ...(rest[1]?.gold_docs ?? [])] }, ...rest];
  const planned = planKinds(withNegatives, { two_passages: 0.5, full: 0.5 }, () => true);
  const ids = planned.flatMap(({ gold_docs }) => gold_docs.map(documentId));
  expect(new Set(ids).size).toBe(60);
  const pairs = planned.filter(({ question_kind }) => question_kind === "two_passages");
  expect(pairs.length).toBeGreaterThan(15);
  for (const { gold_docs, hard_neg_docs } of pairs) {
    expect(new Set(gold_docs.map(({ metadata }) => metadata.source)).size).toBe(1);
    expect(gold_docs).toHaveLength(2);
    expect(hard_neg_docs.map(documentId)).not.toContain(documentId(gold_docs[1] as (typeof gold_docs)[0]));
  }
  // A source of one passage has none to take along.
  expect(planKinds(rows.slice(0, 1), { two_passages: 1 }, () => true)[0]?.question_kind).toBe("full");
});

it("what can be asked in no kind is a full question that no share counts", () => {
  const even = (passage: (typeof rows)[0]["gold_docs"][0]): boolean =>
    Number(/Part (\d+)/.exec(passage.page_content)?.[1]) % 2 === 0;
  const planned = planKinds(rows, { full: 0.5, keywords: 0.5 }, (passage) => even(passage));
  const asked = planned.filter(({ gold_docs: [gold] }) => gold && even(gold));
  expect([count(asked, "full"), count(asked, "keywords")]).toEqual([15, 15]);
  expect(count(planned, "full")).toBe(45);
});

it("rules say which kinds they cannot make", () => {
  const kinds = { full: 0.5, follow_up: 0.3, two_passages: 0.2 };
  expect(impossibleKinds(kinds, EXTRACTIVE)).toEqual(["follow_up", "two_passages"]);
  expect(impossibleKinds(kinds, "gpt-x")).toEqual([]);
  expect(count(planKinds(rows, kinds, canAskBy(EXTRACTIVE)), "full")).toBe(60);
});
