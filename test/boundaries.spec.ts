import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const FIXTURE = join(ROOT, 'test', 'support', 'boundaries');

/** Runs an installed tool on `cwd`; resolves with its exit code and standard output. */
const run = (tool: string, args: string[], cwd: string): Promise<{ code: number; output: string }> =>
  new Promise((done) =>
    execFile(
      process.execPath,
      [join(ROOT, 'node_modules', ...tool.split('/')), ...args],
      { cwd },
      (error, output) => done({ code: error === null ? 0 : Number(error.code), output }),
    ),
  );

test('the import table is enforced: every forbidden import of the fixture is found', async () => {
  const { output } = await run(
    'dependency-cruiser/bin/dependency-cruiser.mjs',
    ['--config', join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json', '.'],
    FIXTURE,
  );
  const { summary } = JSON.parse(output) as {
    summary: { violations: { from: string; to: string; rule: { name: string } }[] };
  };
  const found = summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`).sort();
  expect(found.filter((line) => !line.startsWith('no-cycle'))).toEqual([
    'api-calls-only-queries-of-projections: api/app.ts -> projections/auctions/projection.ts',
    'domain-imports-domain: domain/impure.ts -> infra/adapter.ts',
    expect.stringMatching(/^domain-packages: domain\/impure\.ts -> .*node_modules\/zod/),
    'infra-imports-domain: infra/adapter.ts -> api/app.ts',
    expect.stringMatching(/^no-development-package-in-product: activities\/auction\.ts -> .*vitest/),
    'no-node-in-pure-code: domain/impure.ts -> fs',
    'no-orphan: activities/dead.ts -> activities/dead.ts',
    'workflows-take-only-types-of-activities: workflows/auction.ts -> activities/auction.ts',
  ]);
  expect(found.some((line) => line.startsWith('no-cycle: projections/auctions/'))).toBe(true);
});

test('clock, randomness, timers, I/O and zod are refused in domain and workflow code', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'aivillage-lint-'));
  try {
    copyFileSync(join(ROOT, '.oxlintrc.json'), join(directory, '.oxlintrc.json'));
    for (const folder of ['domain', 'workflows', 'infra']) {
      mkdirSync(join(directory, folder));
      writeFileSync(
        join(directory, folder, 'impure.ts'),
        `import { readFile } from 'node:fs/promises';
import { z } from 'zod';
export const all = [readFile, z, Date.now(), new Date(), Math.random(), setTimeout, process.env];
`,
      );
    }
    const { code, output } = await run('oxlint/bin/oxlint', ['--format', 'json', '.'], directory);
    const { diagnostics } = JSON.parse(output) as { diagnostics: { code: string; filename: string }[] };
    const rules = diagnostics.map(({ code: rule, filename }) => `${filename} ${rule}`).sort();
    const expected = (folder: string) => [
      ...Array.from({ length: 4 }, () => `${folder}/impure.ts eslint(no-restricted-globals)`),
      ...Array.from({ length: 2 }, () => `${folder}/impure.ts eslint(no-restricted-imports)`),
      `${folder}/impure.ts eslint(no-restricted-properties)`,
    ];
    expect(rules).toEqual([...expected('domain'), ...expected('workflows')]);
    expect(code).not.toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
