import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCredentials } from './credentials.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aivillage-cli-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const store = (content: string) => writeFileSync(join(home, 'credentials.json'), content);
const stored = { api_url: 'http://127.0.0.1:8000/', api_key: 'key_1.secret' };

test('credentials come from the data directory', async () => {
  store(JSON.stringify(stored));
  expect(await loadCredentials(home, {})).toEqual({
    apiUrl: 'http://127.0.0.1:8000',
    apiKey: 'key_1.secret',
  });
});

test('the environment goes before the file, variable by variable, and needs no file', async () => {
  const env = { AIVILLAGE_API_URL: 'https://engine.example', AIVILLAGE_API_KEY: 'other' };
  expect(await loadCredentials(home, env)).toEqual({ apiUrl: 'https://engine.example', apiKey: 'other' });
  store(JSON.stringify(stored));
  const { AIVILLAGE_API_URL } = env;
  expect(await loadCredentials(home, { AIVILLAGE_API_URL, AIVILLAGE_API_KEY: '' })).toEqual({
    apiUrl: 'https://engine.example',
    apiKey: 'key_1.secret',
  });
});

test('no credentials: the message says how to get some', async () => {
  await expect(loadCredentials(home, {})).rejects.toThrow(/npm start.*AIVILLAGE_API_URL/);
});

test('broken credentials are refused by field, without showing the key', async () => {
  store('{"api_url":');
  await expect(loadCredentials(home, {})).rejects.toThrow('is not JSON');
  store(JSON.stringify({ ...stored, api_url: 'ftp://x' }));
  await expect(loadCredentials(home, {})).rejects.toThrow(/^(?!.*secret).*api_url: /s);
  store('null');
  await expect(loadCredentials(home, {})).rejects.toThrow(/api_url.*api_key/s);
});
