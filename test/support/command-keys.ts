import { sealedActivities } from '../../infra/temporal/sealed-activities.ts';
import { workerConverter } from '../../infra/temporal/sealed-payloads.ts';

/** Of all engines of the tests, for several may share a task queue. */
export const COMMAND_KEYS = [new Uint8Array(32).fill(7)];

/** The same as the text of a key file. */
export const COMMAND_KEY_FILE = COMMAND_KEYS.map((key) => `${Buffer.from(key).toString('hex')}\n`).join('');

/** What makes a worker obey nothing but what is sealed. */
export const sealedWorker = {
  dataConverter: workerConverter(COMMAND_KEYS, () => undefined),
  interceptors: { activity: [sealedActivities] },
};
