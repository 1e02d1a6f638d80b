// Run by npm after an install in the checkout, and with --required before it packs.
import { ROOT } from './launch.mjs';
import { ensureVerifyLibrary } from './verify-library.mjs';

const fault = ensureVerifyLibrary(ROOT);
if (fault !== null) {
  process.stderr.write(`aivillage/verify was not built: ${fault}\n`);
  process.exitCode = process.argv.includes('--required') ? 1 : 0;
}
