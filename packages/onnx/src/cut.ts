import { orderNodes } from "./order.js";
import { applyNode, input, type Node, type Value, withoutComposites } from "./value.js";

/** A graph in two parts that run one after the other. */
export interface CutGraph {
  /** What the first part computes and the second one reads, by name. */
  kept: Record<string, Value>;
  /** The second part's outputs, which read `kept` as inputs of these names. */
  second: Record<string, Value>;
}

/** Operators whose result is cheaper to make again than to keep: the same numbers in another order. */
const REARRANGES: ReadonlySet<string> = new Set(["Reshape", "Transpose"]);

/**
 * Cuts a graph before `second`: what computes `first` is not computed again, its results are inputs. Whole numbers that follow from it alone
 * (shapes, mostly) belong to the first part too, so that nothing is kept only for its shape.
 */
export function cutGraph(first: Readonly<Record<string, Value>>, second: Readonly<Record<string, Value>>): CutGraph {
  const done = new Set<Node>(orderNodes(Object.values(first), { expand: true }));
  const nodes = orderNodes(Object.values(second), { expand: true }).filter((node) => !done.has(node));
  const rest: Node[] = [];
  for (const node of nodes) {
    const whole = node.outputs.every(({ dtype }) => dtype === "int64");
    const ready = node.inputs.map(withoutComposites).every(({ node: from }) => from === undefined || done.has(from));
    if (whole && ready) done.add(node);
    else rest.push(node);
  }

  const isKept = (value: Value): boolean => value.node !== undefined && done.has(value.node);
  const read = new Set(
    [...rest.flatMap(({ inputs }) => inputs), ...Object.values(second)].map(withoutComposites).filter(isKept),
  );
  // Whether a value that is read is had by rearranging what is kept anyway, or is given.
  const isRearranged = (value: Value): boolean => {
    const { node } = value;
    if (!node || !REARRANGES.has(node.op)) return false;
    return node.inputs.map(withoutComposites).every((source) => {
      const available = source.node === undefined || source.dtype === "int64" || read.has(source);
      return available || isRearranged(source);
    });
  };
  const made = new Map<Value, Value>();
  const kept: Record<string, Value> = {};
  const now = (value: Value): Value => {
    const written = withoutComposites(value);
    const known = made.get(written);
    if (known) return known;
    if (!isKept(written)) return written;
    if (written.node && isRearranged(written)) rebuild(written.node);
    else {
      const name = `kept ${Object.keys(kept).length}`;
      kept[name] = written;
      made.set(written, input(name, written.dtype, written.shape));
    }
    return made.get(written) as Value;
  };
  const rebuild = (node: Node): void => {
    const copies = applyNode(node.op, node.inputs.map(now), node.outputs, { ...node.attributes }, node.domain);
    node.outputs.forEach((output, i) => {
      made.set(output, copies[i] as Value);
    });
  };
  for (const node of rest) rebuild(node);
  return { kept, second: Object.fromEntries(Object.entries(second).map(([name, value]) => [name, now(value)])) };
}
