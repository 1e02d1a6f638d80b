import { epochMs, instant } from '../time.ts';

/** Length of an epoch unless the network sets another (R93). */
export const EPOCH_SECONDS = 3600;

/** Number of the epoch at the instant `at`: floor(Unix time / length). */
export const epochAt = (at: string, seconds: number): number => Math.floor(epochMs(at) / 1000 / seconds);

/** First instant of an epoch. */
export const epochStart = (epoch: number, seconds: number): string => instant(epoch * seconds * 1000);
