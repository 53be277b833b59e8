/** A `${name}` that nothing defines. */
export class UnknownVariable extends Error {
  constructor(
    readonly variable: string,
    /** Where in the value it stands. */
    readonly keys: (string | number)[],
  ) {
    super(`\${${variable}} is not defined`);
  }
}

const VARIABLE = /\$(\$?)\{([\w-]+)\}/g;

/**
 * Puts variables into every text of a value. A text that is nothing but `${name}` becomes the variable itself, number or
 * boolean; `$${name}` stays as `${name}`.
 *
 * @throws UnknownVariable
 */
export function substitute(
  value: unknown,
  variables: Readonly<Record<string, unknown>>,
  keys: (string | number)[] = [],
): unknown {
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, variables, [...keys, index]));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, substitute(item, variables, [...keys, key])]),
    );
  }
  if (typeof value !== "string") return value;
  const lookUp = (name: string): unknown => {
    if (!Object.hasOwn(variables, name)) throw new UnknownVariable(name, keys);
    return variables[name];
  };
  const whole = /^\$\{([\w-]+)\}$/.exec(value);
  if (whole) return lookUp(whole[1] ?? "");
  return value.replace(VARIABLE, (_, escaped: string, name: string) =>
    escaped ? `\${${name}}` : String(lookUp(name)),
  );
}
