import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MODULE = fileURLToPath(new URL('./code-from-strings.ts', import.meta.url));

/** What each way to make code of a string comes to, in a process of its own. */
const TRIED = `
  const { refuseCodeFromStrings } = await import(process.argv[1]);
  refuseCodeFromStrings();
  const text = 'return 1';
  const indirect = eval;
  const ways = {
    'eval': () => eval('1'),
    'indirect eval': () => indirect('1'),
    'Function': () => Function(text),
    'new Function': () => new Function(text),
    'function': () => (function () {}).constructor(text),
    'arrow function': () => (() => 1).constructor(text),
    'method': () => [].map.constructor(text),
    'class': () => (class {}).constructor(text),
    'async function': () => (async () => 1).constructor(text),
    'generator': () => (function* () {}).constructor(text),
    'async generator': () => (async function* () {}).constructor(text),
    'restored': () => { Function.prototype.constructor = text.constructor; globalThis.eval = () => 1; },
    'redefined': () => Object.defineProperty(globalThis, 'Function', { value: Object }),
  };
  const outcome = (way) => { try { return String(way()); } catch (error) { return error.name; } };
  console.log(JSON.stringify({
    ...Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, outcome(way)])),
    functions: (() => 1) instanceof Function && typeof Function,
  }));
`;

test('no code is made of strings, by whatever function', () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', '--input-type=module', '-e', TRIED, MODULE],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const { functions, restored, redefined, ...ways } = JSON.parse(stdout) as Record<string, string>;
  expect(new Set(Object.values(ways))).toEqual(new Set(['EvalError']));
  expect(Object.keys(ways)).toHaveLength(11);
  expect([restored, redefined]).toEqual(['TypeError', 'TypeError']);
  // What is a function is still known as one.
  expect(functions).toBe('function');
});
