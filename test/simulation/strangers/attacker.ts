import { ATTACKS, type Means } from './attacks.ts';

/** One attack in a process of its own, so that its load is not in the figures: its name, then its means as JSON. */
const [name = '', means = '{}'] = process.argv.slice(2);
const attack = ATTACKS[name];
if (!attack) throw new Error(`unknown attack ${name}`);
process.on('uncaughtException', () => undefined);
await attack(JSON.parse(means) as Means);
