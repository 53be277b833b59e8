import { gemm, matmul, type Node, type Value } from "@rag-ft/onnx";
import { madeAgain, type Rule } from "./rule.js";
import { sumRows } from "./sum-rows.js";

const isSet = (node: Node, attribute: string): boolean => node.attributes[attribute] === 1;

function factor(node: Node): number {
  const alpha = node.attributes.alpha;
  return typeof alpha === "object" && "float" in alpha ? alpha.float : 1;
}

/** Rules of matrix products: for Y = A B, dA = dY Bᵀ and dB = Aᵀ dY; a transposed input has its gradient transposed. */
export const matrixRules: Record<string, Rule> = {
  FusedMatMul: ({ node, gradient, wants }) => {
    const [a, b] = node.inputs.map(madeAgain) as [Value, Value];
    const transA = isSet(node, "transA");
    const transB = isSet(node, "transB");
    const alpha = factor(node);
    const da = (): Value =>
      transA
        ? matmul(b, gradient, { transA: transB, transB: true, alpha })
        : matmul(gradient, b, { transB: !transB, alpha });
    const db = (): Value =>
      transB
        ? matmul(gradient, a, { transA: true, transB: transA, alpha })
        : matmul(a, gradient, { transA: !transA, alpha });
    return [wants(0) ? da() : undefined, wants(1) ? db() : undefined];
  },
  Gemm: ({ node, gradient, wants }) => {
    const [a, b] = node.inputs.map(madeAgain) as [Value, Value];
    const transA = isSet(node, "transA");
    const transB = isSet(node, "transB");
    const da = (): Value =>
      transA
        ? gemm(b, gradient, undefined, { transA: transB, transB: true })
        : gemm(gradient, b, undefined, { transB: !transB });
    const db = (): Value =>
      transB
        ? gemm(gradient, a, undefined, { transA: true, transB: transA })
        : gemm(a, gradient, undefined, { transA: !transA });
    return [
      wants(0) ? da() : undefined,
      wants(1) ? db() : undefined,
      node.inputs[2] && wants(2) ? sumRows(gradient) : undefined,
    ];
  },
};
