import { pino } from 'pino';
import { loadConfig } from '../../infra/config/config.ts';
import { startApi } from '../../infra/main/api/start-api.ts';

/** The API in a process of its own, to be killed. Argument: the task queue; settings from the environment. Prints its port. */
const api = await startApi(
  { ...loadConfig(process.env), port: 0 },
  pino({ level: 'silent' }),
  process.argv[2],
);
console.log(api.port);
