import { UserError } from "@rag-ft/core";

/** A model on the hub: `org/name` or `name`, and a branch, tag or commit. */
export interface HubId {
  name: string;
  revision: string;
}

const NAME = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)?$/;
const REVISION = /^[A-Za-z0-9][\w.-]*$/;

/**
 * Reads `org/name` or `org/name@revision`.
 *
 * @throws UserError when the text looks like a path, which then is a folder that does not exist.
 */
export function parseHubId(text: string): HubId {
  const [name = "", revision, ...rest] = text.split("@");
  if (!NAME.test(name) || name.includes("..")) {
    throw new UserError(
      `${text}: no such folder, and not the name of a model on the hub (org/name or org/name@revision). ` +
        "Give a model folder that exists, or a hub name.",
    );
  }
  if (revision === undefined) return { name, revision: "main" };
  if (rest.length > 0 || !REVISION.test(revision)) {
    throw new UserError(`${text}: expected a branch, tag or commit after the @, without a slash.`);
  }
  return { name, revision };
}
