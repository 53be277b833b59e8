import { describe, expect, it } from "vitest";
import { createDocument, documentKey, documentSchema, formatContent } from "./document.js";
import { documentId } from "./hash.js";

describe("formatContent", () => {
  it.each([
    [{ source: "u", title: "T" }, "Source: u\nTitle: T\nContent:\ntext"],
    [{ source: "u" }, "Source: u\nContent:\ntext"],
    [{ source: "", title: "T" }, "Title: T\nContent:\ntext"],
  ])("has a line for each thing known: %j", (metadata, expected) => {
    expect(formatContent("text", metadata)).toBe(expected);
  });

  it("strips the whole", () => {
    expect(formatContent("text \n\n", { source: "u" })).toBe("Source: u\nContent:\ntext");
  });
});

describe("identity of a passage", () => {
  it("is source and content, and nothing else", () => {
    const a = createDocument("text", { source: "u", title: "A", seq_num: 1 });
    const b = createDocument("text", { source: "u", title: "B" });
    expect(documentId(a)).toBe(documentId(b));
    expect(documentId(a)).not.toBe(documentId(createDocument("text", { source: "v" })));
    expect(documentId(a)).not.toBe(documentId(createDocument("Text", { source: "u" })));
    expect(documentId(a)).toMatch(/^[0-9a-f]{16}$/);
  });

  it("does not run source and content together", () => {
    expect(documentKey(createDocument("bc", { source: "a" }))).not.toBe(
      documentKey(createDocument("c", { source: "ab" })),
    );
  });
});

it("metadata keeps keys that it does not know, and needs a source", () => {
  const document = createDocument("text", { source: "u", seq_num: 3, tags: ["x"] });
  expect(documentSchema.parse(document)).toEqual(document);
  expect(documentSchema.safeParse({ ...document, metadata: { title: "T" } }).success).toBe(false);
});
