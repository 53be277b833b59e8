import { instructionOf, opened, type PromptFormat } from "./rag-prompt.js";

/**
 * A format of parts as a chat template (Jinja), so that other programs ask a generator as it was trained: the system's message is instruction and
 * passages, apart by an empty line, as `promptMessages` puts them. `start` and `end` are what the tokenizer adds around a prompt, such as
 * `<s>`: templates write it themselves.
 */
export function chatTemplateOf(format: PromptFormat, { start = "", end = "" } = {}): string {
  // JSON's escapes are Jinja's, too.
  const text = (value: string): string => JSON.stringify(value);
  const turn = (before: string, after: string): string => `{{ ${text(before)} + message["content"] + ${text(after)} }}`;
  const assistant = opened(format.assistant_prefix);
  const wrapped = (content: string): string =>
    `{{ ${text(start + format.system_prefix)} + ${content} + ${text(format.sep_system)} }}`;
  return [
    '{% if messages[0]["role"] == "system" %}',
    wrapped('messages[0]["content"]'),
    "{% else %}",
    wrapped(text(`${instructionOf(format)}\n\n`)),
    "{% endif %}",
    "{% for message in messages %}",
    '{% if message["role"] == "user" %}',
    turn(opened(format.user_prefix), format.sep_user),
    '{% elif message["role"] == "assistant" %}',
    turn(assistant, format.sep_sys),
    "{% endif %}",
    "{% endfor %}",
    `{% if add_generation_prompt %}{{ ${text(assistant + end)} }}{% endif %}`,
  ].join("");
}
