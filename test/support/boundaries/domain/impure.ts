import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { adapter } from '../infra/adapter.ts';

export const impure = [readFileSync, z, adapter];
