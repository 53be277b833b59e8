/** For domain configs that have none of their own. */
export const ANSWERABILITY_INSTRUCTION =
  "You check the questions of a test for a documentation search. Say whether the passage alone holds all that a full and correct answer to the question needs. Reply with one word: yes or no.";
