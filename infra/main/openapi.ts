import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeApi } from './api/describe-api.ts';

const file = join(import.meta.dirname, '..', '..', 'openapi.json');
await writeFile(file, await describeApi());
console.log(`wrote ${file}`);
