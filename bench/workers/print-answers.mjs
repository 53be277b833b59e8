/** A side of bench/answer.mjs as it reports: what it made of all prompts in so many seconds, and what else it knows of itself. */
export function printAnswers(prompts, made, { seconds, ...more }) {
  const read = prompts.reduce((sum, { length }) => sum + length, 0);
  console.log(
    JSON.stringify({
      seconds: [seconds],
      answers: [prompts.length],
      tokens: [read + made.flat().length],
      made,
      ...more,
    }),
  );
}
