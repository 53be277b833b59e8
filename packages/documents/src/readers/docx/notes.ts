// mammoth writes notes as links to items of a list at the end; they become footnotes of Markdown.
import type { FootnoteDefinition, List, Nodes, Parents, Root, RootContent } from "mdast";

const REFERENCE = /^#((?:foot|end)note-\d+)$/;
const BACK = /^#(?:foot|end)note-ref-\d+$/;

interface Note {
  /** `1`, as the page shows it. */
  label: string;
}

/** Replaces links to notes, and drops those that lead back from them. */
function resolveLinks(parent: Parents, notes: Map<string, Note>): void {
  const made: Nodes[] = [];
  for (const child of parent.children as Nodes[]) {
    const id = child.type === "link" ? REFERENCE.exec(child.url)?.[1] : undefined;
    if (id !== undefined) {
      const note = notes.get(id) ?? { label: String(notes.size + 1) };
      notes.set(id, note);
      made.push({ type: "footnoteReference", identifier: note.label, label: note.label });
    } else if (child.type !== "link" || !BACK.test(child.url)) {
      if ("children" in child) resolveLinks(child, notes);
      made.push(child);
    }
  }
  parent.children = made as typeof parent.children;
}

const noteOf = (node: Nodes | undefined, notes: Map<string, Note>): Note | undefined =>
  node?.data?.anchor === undefined ? undefined : notes.get(node.data.anchor);

function definitions(list: List, notes: Map<string, Note>): FootnoteDefinition[] {
  return list.children.flatMap((item) => {
    const note = noteOf(item.children[0], notes);
    if (note === undefined) return [];
    return [
      {
        type: "footnoteDefinition",
        identifier: note.label,
        label: note.label,
        children: item.children as FootnoteDefinition["children"],
      },
    ];
  });
}

export function resolveNotes(root: Root): void {
  const notes = new Map<string, Note>();
  resolveLinks(root, notes);
  const last = root.children.at(-1);
  if (last?.type !== "list" || last.children.some((item) => noteOf(item.children[0], notes) === undefined)) return;
  root.children = [...root.children.slice(0, -1), ...(definitions(last, notes) as RootContent[])];
}
