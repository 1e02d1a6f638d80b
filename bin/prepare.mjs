// Run by npm after an install in the checkout, and with --required before it packs.
import { ROOT } from './launch.mjs';
import { ensurePrograms } from './programs.mjs';
import { ensureVerifyLibrary } from './verify-library.mjs';

const required = process.argv.includes('--required');
const fault = ensureVerifyLibrary(ROOT);
if (fault !== null) {
  process.stderr.write(`aivillage/verify was not built: ${fault}\n`);
  process.exitCode = required ? 1 : 0;
}
if (!required) {
  // A start makes them, too, and is all that needs them: no package holds them.
  const programs = await ensurePrograms(ROOT);
  if (programs.fault !== null) process.stderr.write(`dist/programs was not built: ${programs.fault}\n`);
}
