/** Where gen-answers puts questions that their passages do not answer, beside the file of answers. */
export function notInPassageFile(answers: string): string {
  return answers.replace(/(_w_qa)?(\.jsonl)?$/, "_not_in_passage.jsonl");
}
