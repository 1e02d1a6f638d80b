import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { readKeyFile } from '../keys/key-file.ts';
import { calibrate } from '../node/calibration.ts';
import { loadNodeConfig } from '../node/config.ts';
import { createKeptArtifacts } from '../node/kept-artifacts.ts';
import { startNode } from '../node/node.ts';
import { createEnclaveHost } from '../sandbox/index.ts';
import { choosePlatform, detectHardware, loadChip } from '../tee/index.ts';

/** The node program: `node.ts <path of node.json>`. Key and chip lie beside the configuration file. */
const main = async (): Promise<void> => {
  const [configFile] = process.argv.slice(2);
  if (configFile === undefined) throw new Error('usage: node.ts <path of node.json>');
  const config = await loadNodeConfig(configFile);
  const log = pino({ name: `node-${config.name}`, level: process.env['LOG_LEVEL'] ?? 'info' });
  const folder = dirname(configFile);
  const [seed] = await readKeyFile(join(folder, 'node.key'));
  if (!seed) throw new Error(`${folder} must hold node.key`);
  const { platform, reason } = await choosePlatform(config.hardware ? await detectHardware() : [], {
    certificates: join(folder, 'certificates'),
    chip: await loadChip(join(folder, 'chip')),
  });
  log.info({ platform: platform.name, hardware: platform.binding === 'host', reason }, 'platform chosen');
  const missing = config.platforms.filter((name) => name !== platform.name);
  if (missing.length > 0) throw new Error(`platforms: this host has no ${missing.join(', ')}`);

  const { maxConcurrent } = config.costPolicy;
  // One more, in which the machine is measured.
  const host = createEnclaveHost({ platform, maximumEnclaves: maxConcurrent + 1 });
  const kept = createKeptArtifacts({
    directory: join(folder, 'artifacts'),
    maxBytes: config.keepBytes,
    onError: (error) => log.error({ err: error }, 'an artefact could not be kept'),
  });
  const node = await startNode({
    config,
    seed,
    platforms: [platform],
    host,
    calibrate: () => calibrate(host),
    kept,
    nowMs: Date.now,
    log,
  });

  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'node stopping');
    node.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'node stopped with an error');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};

await main();
