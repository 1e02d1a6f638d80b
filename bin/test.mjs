#!/usr/bin/env node
// Runs every test project, with --checks the static checks before them, and closes with the line "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { capableNode, ensureInstalled, ROOT, run } from './launch.mjs';

const CHECKS = ['format:check', 'lint', 'boundaries', 'types'];

const args = process.argv.slice(2);
await ensureInstalled({ development: true });
const node = capableNode();
const bin = join(ROOT, 'node_modules', '.bin');
const env = { ...process.env, PATH: [dirname(node), bin, process.env.PATH].join(delimiter) };

let passed = 0;
let failed = 0;

if (args.includes('--checks')) {
  for (const check of CHECKS) {
    const code = await run('npm', ['run', '--silent', check], { cwd: ROOT, env });
    if (code === 0) passed += 1;
    else failed += 1;
    process.stdout.write(`${check}: ${code === 0 ? 'passed' : 'failed'}\n`);
  }
}

const directory = mkdtempSync(join(tmpdir(), 'aivillage-report-'));
const report = join(directory, 'report.json');
const code = await run(
  node,
  [
    join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args.filter((arg) => arg !== '--checks'),
  ],
  { cwd: ROOT, env },
);
const tests = countTests(report);
rmSync(directory, { recursive: true });
passed += tests.passed;
// An error outside every test, such as a server that did not start, fails the run without failing a test.
failed += code !== 0 && tests.failed === 0 ? 1 : tests.failed;

process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function countTests(file) {
  let results;
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0 };
  }
  // A file that cannot be loaded has failed without a failed test in it.
  const unloaded = results.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
  );
  return { passed: results.numPassedTests, failed: results.numFailedTests + unloaded.length };
}
