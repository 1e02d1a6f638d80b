#!/usr/bin/env node
import { ensureInstalled, launch } from './launch.mjs';

await ensureInstalled({ development: false });
await launch('infra/cli/main.ts', process.argv.slice(2));
