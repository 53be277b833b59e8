export { auditRows, LEAKS, type Leak, type LeakKind, type SplitRows } from "./audit.js";
export { type AuditSplitsSettings, auditSplitsSettings } from "./settings.js";
export { auditSplits } from "./stage.js";
