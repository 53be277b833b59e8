import type { Element, Root } from "hast";
import { attribute, elementsOf, roleOf } from "./element.js";

/** Ids of elements that a control of the page shows: tabs, accordions, "more" buttons. */
export function controlledIds(root: Root): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const element of elementsOf(root)) {
    for (const id of attribute(element, "ariaControls").split(/\s+/)) if (id) ids.add(id);
    for (const name of ["dataTarget", "dataBsTarget"]) {
      const target = attribute(element, name);
      if (target.startsWith("#")) ids.add(target.slice(1));
    }
    const href = attribute(element, "href");
    if (href.startsWith("#") && (roleOf(element) === "tab" || attribute(element, "dataToggle") !== "")) {
      ids.add(href.slice(1));
    }
  }
  return ids;
}

/**
 * For screen readers only, as the frameworks' classes say; a person at a screen does not see it. `hideme`: rustdoc's "Expand description" above
 * what is open; `ttc`: Doxygen's boxes that show at the mouse.
 */
const SPOKEN = /^(?:sr-only|visually-?hidden|screen-?reader(?:-text|-only)?|u-?visually-?hidden|hideme|ttc)$/i;

/** Whether a reader never sees the element. What a click shows (a tab, an accordion) is seen. */
export function isHidden(element: Element, controlled: ReadonlySet<string>): boolean {
  const { hidden } = element.properties;
  const style = attribute(element, "style").replace(/\s+/g, "").toLowerCase();
  const off =
    (hidden !== undefined && hidden !== null && hidden !== false && hidden !== "until-found") ||
    /(?:^|;)(?:display:none|visibility:hidden)/.test(style);
  if (off) return roleOf(element) !== "tabpanel" && !controlled.has(attribute(element, "id"));
  const classes = element.properties.className;
  return Array.isArray(classes) && classes.some((name) => SPOKEN.test(String(name)));
}
