import { randomInt } from 'node:crypto';
import { ulid } from 'ulid';

const RANGE = 2 ** 32;

/** 0 to 1, unpredictable. `randomInt` draws from bytes kept ready; ulid by itself asks the system for every character. */
const random = (): number => randomInt(RANGE) / RANGE;

/** A new ULID: 48 bits of time, 80 random bits that nobody can guess. */
export const newUlid = (): string => ulid(undefined, random);
