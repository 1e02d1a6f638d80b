import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { Scalar } from '@scalar/hono-api-reference';
import type { Api, ApiEnv } from './environment.ts';
import { TITLE } from './openapi.ts';

const SCRIPT_PATH = '/docs/reference.js';
/** The package exports no path to its bundle, so it is found beside its manifest. */
const manifest = findPackageJSON('@scalar/api-reference', import.meta.url);
if (!manifest) throw new Error('the package @scalar/api-reference is not installed');
const scriptFile = join(dirname(manifest), 'dist/browser/standalone.js');

/** Only our own script, styles and document: the page works, and stays quiet, without a network. */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    'worker-src blob:',
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** The documentation page at `/docs`, its script served from our own packages. */
export const mountDocs = (api: Api): void => {
  api.get('/docs', (c, next) => {
    const nonce = randomBytes(16).toString('base64');
    c.header('Content-Security-Policy', policy(nonce));
    return Scalar<ApiEnv>({
      url: '/openapi.json',
      cdn: SCRIPT_PATH,
      pageTitle: TITLE,
      withDefaultFonts: false,
      telemetry: false,
      nonce,
    })(c, next);
  });
  api.get(SCRIPT_PATH, async (c) => {
    c.header('Content-Type', 'text/javascript; charset=utf-8');
    c.header('Cache-Control', 'public, max-age=3600');
    return c.body(await readFile(scriptFile));
  });
};
