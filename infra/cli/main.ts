import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { loadSettings } from '../config/config.ts';
import { createClient } from './client/client.ts';
import { loadCredentials } from './client/credentials.ts';
import { createLogClient } from './client/log-client.ts';
import { createSubjectClient } from './client/subject-client.ts';
import { createTransport } from './client/transport.ts';
import { createZkClient } from './client/zk-client.ts';
import type { CliContext, Engine } from './context.ts';
import { CliError, EXIT, refuse } from './failure.ts';
import { runCli } from './program.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const settingsOf = (env: NodeJS.ProcessEnv) => {
  try {
    return loadSettings(env);
  } catch (error) {
    throw refuse((error as Error).message);
  }
};

const openEngine = async (env: NodeJS.ProcessEnv): Promise<Engine> => {
  const { home, profile } = settingsOf(env);
  const credentials = await loadCredentials(home, env);
  const transport = createTransport(credentials);
  return {
    client: createClient(transport),
    log: createLogClient(transport),
    zk: createZkClient(transport),
    subjects: createSubjectClient(transport),
    zkDirectory: join(home, 'zk', 'files'),
    isLocalStack: profile === 'embedded' && LOOPBACK.test(new URL(credentials.apiUrl).hostname),
  };
};

/** Programs that compose adapters which a tool may not import: they run as what they are. */
const program =
  (file: string) =>
  async (args: readonly string[] = []): Promise<number> => {
    const path = join(import.meta.dirname, '..', 'main', file);
    const child = spawn(process.execPath, [path, ...args], { stdio: 'inherit' });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? EXIT.failed;
  };

const interruptible = async <T>(work: Promise<T>, message: () => string): Promise<T> => {
  const interrupted = Promise.withResolvers<never>();
  // It stays until the end: a launcher passes on the signal that the terminal has sent here already.
  const stop = () => interrupted.reject(new CliError(message(), EXIT.interrupted));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  return Promise.race([work, interrupted.promise]);
};

const context: CliContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  engine: () => openEngine(process.env),
  audit: program('audit.ts'),
  recover: program('recover.ts'),
  interruptible,
  exit: (code) => {
    process.exitCode = code;
  },
};

// A reader that has seen enough, such as `head`, ends the command without a word.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

await runCli(process.argv.slice(2), context);
// What was interrupted may still wait for an answer.
if (process.exitCode === EXIT.interrupted) process.exit();
