import type { Award } from '../activities/auction.ts';
import { award } from '../activities/auction.ts';

export const auction = (given: Award) => given === award;
