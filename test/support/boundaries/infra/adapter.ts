import type { app } from '../api/app.ts';

export const adapter = (served: typeof app) => served;
