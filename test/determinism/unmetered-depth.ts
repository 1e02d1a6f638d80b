import { assemble } from '../workloads/assemble.ts';
import { DEEP } from './deep.ts';

/** Program of a process that tells how deep a module recurses without metering, by the number that it stores. */

const depth = async (): Promise<number> => {
  const module = await WebAssembly.compile(await assemble('small', DEEP['small'] ?? ''));
  const { exports } = await WebAssembly.instantiate(module, {});
  try {
    (exports['_start'] as () => void)();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return new DataView((exports['memory'] as WebAssembly.Memory).buffer).getUint32(0, true);
};

process.once('message', () => void depth().then((answer) => process.send?.(answer)));
