#!/usr/bin/env node
import { ensureInstalled, launch } from './launch.mjs';

await ensureInstalled({ development: false });
await launch('infra/main/all.ts', process.argv.slice(2));
