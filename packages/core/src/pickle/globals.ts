import { PickleGlobal } from "./values.js";

/** Where the document class lives: the reference's two module names, and LangChain's over the years. */
const DOCUMENT_MODULES = new Set([
  "local_rqa.schema.document",
  "open_rqa.schema.document",
  "langchain.schema",
  "langchain.schema.document",
  "langchain.docstore.document",
  "langchain_core.documents",
  "langchain_core.documents.base",
]);

/**
 * Helpers through which CPython writes plain data and instances in older protocols: `copyreg._reconstructor` (instances,
 * protocols 0 and 1), `set`, and `_codecs.encode` with `bytes` (bytes, protocols 0 to 2). The machine acts them out on data; it calls nothing.
 */
const HELPERS: Record<string, PickleGlobal["role"]> = {
  "copyreg._reconstructor": "reconstructor",
  "copyreg.__newobj__": "new-object",
  "builtins.object": "object",
  "builtins.set": "set",
  "builtins.frozenset": "set",
  "builtins.bytes": "bytes",
  "builtins.bytearray": "bytearray",
  "_codecs.encode": "encode",
};

/** Python 2's module names, which protocols 0 to 2 are written with. */
const OLD_MODULES: Record<string, string> = { copy_reg: "copyreg", __builtin__: "builtins" };

/** The global if it is allowed, `undefined` for any other. */
export function allowedGlobal(module: string, name: string): PickleGlobal | undefined {
  if (DOCUMENT_MODULES.has(module) && name === "Document") return new PickleGlobal(module, name, "document");
  const modern = Object.hasOwn(OLD_MODULES, module) ? (OLD_MODULES[module] ?? module) : module;
  const key = `${modern}.${name}`;
  const role = Object.hasOwn(HELPERS, key) ? HELPERS[key] : undefined;
  return role === undefined ? undefined : new PickleGlobal(modern, name, role);
}
