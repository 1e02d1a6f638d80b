import { expect } from 'vitest';

export type Award = () => void;
export const award: Award = () => expect(1);
