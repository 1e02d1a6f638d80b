#!/usr/bin/env node
import { ensureInstalled, launch, ROOT } from './launch.mjs';
import { ensurePrograms } from './programs.mjs';

await ensureInstalled({ development: false });
const { folder, fault } = await ensurePrograms(ROOT);
if (fault !== null) process.stderr.write(`Nodes and projectors run from their sources: ${fault}\n`);
await launch(
  'infra/main/all.ts',
  [...process.argv.slice(2), ...(folder === null ? [] : ['--programs', folder])],
  // It works for seconds and then waits for days, with what a larger young generation has kept.
  ['--max-semi-space-size=1'],
);
