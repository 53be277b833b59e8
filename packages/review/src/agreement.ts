import { type AnswerLabels, LABEL_KINDS, LABEL_TITLES, type LabelKind } from "@rag-ft/core";
import { type RaterAgreement, raterAgreement } from "@rag-ft/metrics";

function agreementLine(kind: LabelKind, { method, raters, value, low, high, observed, n }: RaterAgreement): string {
  const interval = Number.isFinite(low) ? ` (95 % interval ${low.toFixed(2)} to ${high.toFixed(2)})` : "";
  const figure = Number.isFinite(value)
    ? `${method} ${value.toFixed(2)}${interval}`
    : `${method} is not defined, since all labels are the same`;
  const share = `equal labels ${(100 * observed).toFixed(0)} %`;
  return `${LABEL_TITLES[kind]}: ${figure}, ${share}; ${raters} reviewers, ${n} answers that at least two labelled`;
}

/** How far reviewers agree, a line a kind of label; a line that says so where no answer has labels of two. */
export function agreementLines(labels: AnswerLabels): string[] {
  const lines = LABEL_KINDS.flatMap((kind) => {
    const found = raterAgreement(labels.ratings(kind));
    return found ? [agreementLine(kind, found)] : [];
  });
  return lines.length > 0 ? lines : ["No answer has labels of two reviewers yet."];
}
