import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

/** All modules that `url` loads, by their import statements. Types are erased, so `import type` does not load. */
const closure = async (url: URL, seen = new Map<string, string[]>()): Promise<Map<string, string[]>> => {
  if (seen.has(url.href)) return seen;
  const source = (await readFile(url, 'utf8')).replace(/^(?:import|export) type[^;]+;/gm, '');
  const targets = [...source.matchAll(IMPORT)].map((match) => match[1] ?? '');
  seen.set(url.href, targets);
  for (const target of targets) if (target.startsWith('.')) await closure(new URL(target, url), seen);
  return seen;
};

describe('the verification library', () => {
  it('runs in a browser: it loads nothing of Node, only itself, the domain and the noble libraries', async () => {
    const modules = await closure(new URL('./index.ts', import.meta.url));
    expect(modules.size).toBeGreaterThan(10);
    const packages = [...modules.values()].flat().filter((target) => !target.startsWith('.'));
    expect(packages.filter((target) => !target.startsWith('@noble/'))).toEqual([]);
    for (const [url] of modules) {
      expect(url).toMatch(/\/(?:infra\/verify|domain)\//);
      expect(await readFile(new URL(url), 'utf8')).not.toMatch(/\b(?:Buffer|process)\b[.(]/);
    }
  });
});
