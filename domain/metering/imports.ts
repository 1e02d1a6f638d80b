import { type FunctionType, type Module, VALUE } from './module.ts';
import { MODULE_NAME, PREVIEW1, type Preview1Function } from './preview1.ts';
import { refuse } from './refusal.ts';

const LETTERS: ReadonlyMap<number, string> = new Map([
  [VALUE.i32, 'i'],
  [VALUE.i64, 'I'],
]);
const lettersOf = (types: readonly number[]): string =>
  types.map((type) => LETTERS.get(type) ?? '?').join('');

const isFunction = (name: string): name is Preview1Function => Object.hasOwn(PREVIEW1, name);

const hasType = (name: Preview1Function, { params, results }: FunctionType): boolean =>
  lettersOf(params) === PREVIEW1[name] && lettersOf(results) === (name === 'proc_exit' ? '' : 'i');

/**
 * Whether a module imports WASI functions as they are: by another type the shim would be given what it does not expect,
 * which on an honest machine looks like a failure of that machine.
 * @throws Refusal naming the import.
 */
export const checkImports = ({ imports, types }: Pick<Module, 'imports' | 'types'>): void => {
  for (const { module, name, type } of imports) {
    const called = `${module}.${name}`.slice(0, 100);
    if (module !== MODULE_NAME || !isFunction(name))
      refuse(`imports only functions of ${MODULE_NAME}, not ${called}`);
    else if (!hasType(name, types[type] ?? refuse('known types'))) refuse(`imports ${called} by its type`);
  }
};
