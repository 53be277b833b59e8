import type { Node, Value } from "./value.js";

/** The nodes that compute `outputs`, each after those it reads (depth first, without recursion: graphs are deep). */
export function orderNodes(outputs: readonly Value[]): Node[] {
  const ordered: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  const visit = (node: Node | undefined): void => {
    if (node && !seen.has(node)) {
      seen.add(node);
      stack.push({ node, next: 0 });
    }
  };
  for (const output of outputs) {
    visit(output.node);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const child = top.node.inputs[top.next++];
      if (child) visit(child.node);
      else {
        ordered.push(top.node);
        stack.pop();
      }
    }
  }
  return ordered;
}
