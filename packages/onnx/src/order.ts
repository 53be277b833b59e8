import { type Node, type Value, withoutComposites } from "./value.js";

/**
 * The nodes that compute `outputs`, each after those it reads (depth first, without recursion: graphs are deep). Composites count as nodes,
 * or, with `expand`, give way to what they are made of.
 */
export function orderNodes(outputs: readonly Value[], { expand = false } = {}): Node[] {
  const nodeOf = (value: Value): Node | undefined => (expand ? withoutComposites(value) : value).node;
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
    visit(nodeOf(output));
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const child = top.node.inputs[top.next++];
      if (child) visit(nodeOf(child));
      else {
        ordered.push(top.node);
        stack.pop();
      }
    }
  }
  return ordered;
}

/** The inputs that a graph reads, each once. */
export function inputsRead(outputs: readonly Value[]): Value[] {
  const read = orderNodes(outputs, { expand: true }).flatMap(({ inputs }) => inputs);
  return [...new Set([...read, ...outputs])].filter(({ input }) => input !== undefined);
}
