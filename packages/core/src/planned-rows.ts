import { resolve } from "node:path";
import type { PlanContext } from "./stage.js";

/** The rows of a file that an earlier stage of a dry run would write, else those that `read` finds there. */
export async function plannedRows<T>(
  { planned }: Pick<PlanContext, "planned">,
  path: string,
  read: (path: string) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  return (planned.get(resolve(path)) as readonly T[] | undefined) ?? read(path);
}
