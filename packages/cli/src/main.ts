#!/usr/bin/env node
import { main } from "./app.js";
import { createProcessIo } from "./io.js";

process.exitCode = await main(process.argv.slice(2), createProcessIo());
