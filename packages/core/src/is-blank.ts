/** What shows nothing: white space of all scripts, control and format characters such as the zero-width space, fillers. */
const SEEN = /[^\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/** Whether a person would see nothing of a text. */
export function isBlank(text: string): boolean {
  return !SEEN.test(text);
}
