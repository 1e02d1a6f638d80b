/** One of each kind: the constructor that it inherits makes code of a string. */
const KINDS = [() => undefined, function* () {}, async () => undefined, async function* () {}] as const;

/**
 * Takes from this realm what makes code of strings: `eval` and the four constructors of functions. V8 has a flag for it, but
 * with that it takes none of what Node has compiled of its own modules beforehand, and half of an enclave's start goes into
 * compiling them again.
 */
export const refuseCodeFromStrings = (): void => {
  const refuse = function () {
    throw new EvalError('no code from strings here');
  };
  refuse.prototype = Function.prototype;
  const value = { value: refuse, writable: false, configurable: false };
  for (const kind of KINDS) Object.defineProperty(Object.getPrototypeOf(kind), 'constructor', value);
  for (const name of ['eval', 'Function']) Object.defineProperty(globalThis, name, value);
};
